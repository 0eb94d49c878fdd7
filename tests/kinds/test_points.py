"""Clouds of points: read from files and arrays, seen, learned from, drawn."""

import logging
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import replearn
from lanes import one_of_each
from made_clouds import made_clouds
from made_methods import labelled_for, quick
from replearn.cli import main
from replearn.data import DataWarning, as_samples, describe, load_data
from replearn.data.kinds import KINDS
from replearn.data.kinds.points import distances, occupancy
from replearn.data.points import Unusable, on_surface
from replearn.data.samples import Batch
from replearn.encoders import make_encoder
from replearn.encoders.clouds import farthest, in_line, nearest, waves
from replearn.methods import registry
from replearn.methods.exhibit import exhibit_of
from replearn.methods.needs import kinds_served, needs_of, offers_of
from replearn.report.kinds import LOOKS
from replearn.report.kinds.points import turned
from replearn.views import Chain, Split, named_views
from replearn.views.defaults import default_views
from replearn.views.kinds.points import PointViews
from replearn.views.points import PointCrop, PointDrop, PointMirror, PointNoise, PointScale, Spin
from replearn.views.store import view_from_json, view_to_json

MADE = (
    Spin(),
    Spin(20.0),
    PointMirror(),
    PointScale(1.5),
    PointNoise(0.05),
    PointDrop(0.7),
    PointCrop(0.3, 0.8),
)
SERVED = [name for name, entry in registry().items() if needs_of(entry.cls) <= offers_of("points")]
BOX = """OFF
8 6 0
0 0 0
2 0 0
2 1 0
0 1 0
0 0 4
2 0 4
2 1 4
0 1 4
4 0 1 2 3
4 4 5 6 7
4 0 1 5 4
4 1 2 6 5
4 2 3 7 6
4 3 0 4 7
"""


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("REPLEARN_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def clouds():
    return as_samples(made_clouds(48), np.arange(48) % 3, kind="points")


def batch_of(samples, n=10) -> Batch:
    return samples[np.arange(n)]


def run(view, batch, seed=0):
    torch.manual_seed(seed)
    seen = view(batch)
    return (seen,) if isinstance(seen, Batch) else seen


# Data


def test_arrays_become_clouds_in_the_unit_sphere(clouds):
    assert (clouds.kind, clouds.shape, len(clouds), clouds.classes) == (
        "points",
        (3, 64),
        48,
        ("0", "1", "2"),
    )
    x = batch_of(clouds, 48).x
    torch.testing.assert_close(x.mean(2), torch.zeros(48, 3), atol=1e-6, rtol=0)
    torch.testing.assert_close(x.norm(dim=1).amax(1), torch.ones(48))
    again = as_samples(made_clouds(48) * 50 + 7, kind="points")
    torch.testing.assert_close(batch_of(again, 48).x, x, atol=1e-4, rtol=0)


def test_axes_share_one_scale(clouds):
    mean, deviation = clouds.statistics
    assert mean.unique().numel() == deviation.unique().numel() == 1
    assert torch.equal(describe(clouds.subset(np.arange(48))).statistics[1], deviation)
    flat = as_samples(made_clouds(8) * [1, 0.01, 1], kind="points")
    x = make_encoder("pointnet", flat).standardise(batch_of(flat, 8))
    assert x[:, 1].std() < 0.1 * x[:, 0].std()


@pytest.mark.parametrize("up", ["x", "y", "z"])
def test_up_is_turned_to_y_and_nothing_is_mirrored(up):
    x = np.eye(3, dtype=np.float32)[None] + 0.1 * np.arange(3, dtype=np.float32)[None, :, None]
    cloud = as_samples(x, kind=f"points:up={up}")[np.array([0])].x[0]
    straight = as_samples(x, kind="points")[np.array([0])].x[0]
    assert torch.equal(cloud[1], straight["xyz".index(up)])
    turn = cloud @ torch.linalg.pinv(straight)
    assert torch.linalg.det(turn + (torch.eye(3) - straight @ torch.linalg.pinv(straight))) > -1e-3
    apart = torch.cdist(cloud.T, cloud.T)
    torch.testing.assert_close(apart, torch.cdist(straight.T, straight.T))


def test_lists_of_unlike_clouds_are_thinned_and_repeated_and_it_is_said():
    made = [made_clouds(1, points=points)[0] for points in (30, 50, 10)]
    with pytest.warns(
        DataWarning, match=r"1 of 3 clouds are thinned to 30 points.*20 points are left out.*1 of 3"
    ):
        samples = as_samples(made, kind="points")
    assert samples.shape == (3, 30)
    few = samples[np.array([2])].x[0].T.unique(dim=0)
    assert len(few) == 10  # none is lost, however few there are
    with pytest.raises(ValueError, match="thinned"):
        as_samples(made, kind="points", strict=True)
    assert as_samples(made[:1], kind="points:points=30").shape == (3, 30)


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (
            np.zeros((2, 3, 7)),
            "points",
            r"must be an array \(n, points, 3\); got shape \(2, 3, 7\)\. Exchange",
        ),
        (np.zeros((2, 7)), "points", r"must be an array \(n, points, 3\)"),
        (np.zeros((2, 7, 3)), "points", "cloud 0 has all its points in one place. Drop it"),
        (np.full((2, 7, 3), np.nan), "points", "cloud 0 has points that are not finite"),
        ([np.zeros((7, 2))], "points", r"must hold arrays \(points, 3\); cloud 0 has shape \(7, 2\)"),
        ([], "points", "none came"),
        (np.full((2, 7, 3), "a"), "points", "must be numbers"),
        ("nowhere", "points", "points must be a folder or zip of files"),
        (made_clouds(2), "points:up=w", "up of points must be x, y or z; got 'w'"),
        (made_clouds(2), "points:points=1", "points of points must be at least 2"),
    ],
)
def test_what_is_no_cloud_is_refused(data, kind, says):
    with pytest.raises(ValueError, match=says) as error:
        as_samples(data, kind=kind)
    assert len(str(error.value).splitlines()) == 1


def test_arrays_in_files_and_what_comes_later(clouds, tmp_path):
    np.savez(tmp_path / "x.npz", x=made_clouds(6), y=np.arange(6) % 2)
    assert as_samples(tmp_path / "x.npz", kind="points").classes == ("0", "1")
    np.save(tmp_path / "x.npy", made_clouds(6))
    again = as_samples(tmp_path / "x.npy", like=describe(clouds))
    assert torch.equal(batch_of(again, 6).x, batch_of(clouds, 6).x)


def test_points_of_a_surface_lie_on_it_and_evenly():
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [1, 3, 0], [0, 3, 0], [5, 5, 5]])
    faces = np.array([[0, 1, 2], [0, 2, 3], [4, 4, 4]])
    found = on_surface(corners, faces, 4000)
    assert found.shape == (4000, 3)
    assert not found[:, 2].any()
    cells = np.histogram2d(found[:, 0], found[:, 1], bins=(2, 6), range=((0, 1), (0, 3)))[0]
    assert np.abs(cells / 4000 * 12 - 1).max() < 0.15
    assert np.array_equal(found, on_surface(corners, faces, 4000))
    with pytest.raises(Unusable, match="triangles without area"):
        on_surface(corners, faces[2:], 10)


def mesh_folder(folder: Path) -> Path:
    """A box in each of the formats, by class, and what can't be read."""
    trimesh = pytest.importorskip("trimesh")
    (folder / "box").mkdir(parents=True)
    (folder / "dust").mkdir()
    (folder / "box" / "a.off").write_text(BOX)
    box = trimesh.load(folder / "box" / "a.off", process=False)
    for ending in ("ply", "obj", "stl"):
        box.export(folder / "box" / f"a.{ending}")
    rng = np.random.default_rng(0)
    np.savetxt(folder / "dust" / "b.xyz", rng.normal(size=(200, 3)))
    trimesh.PointCloud(rng.normal(size=(100, 3))).export(folder / "dust" / "c.ply")
    return folder


def test_folders_of_every_format(tmp_path, caplog):
    folder = mesh_folder(tmp_path / "things")
    caplog.set_level(logging.INFO)
    with pytest.warns(
        DataWarning, match=r"1 of 6 clouds are thinned to 128.*1 of 6 clouds have fewer than 128"
    ):
        samples = as_samples(folder, kind="points:points=128,up=z")
    assert (samples.kind, samples.shape, samples.classes) == ("points", (3, 128), ("box", "dust"))
    assert samples.labels.tolist() == [0, 0, 0, 0, 1, 1]
    assert "4 of them drawn from surfaces; z is taken for up" in caplog.text
    tall = samples[np.arange(4)].x
    size = tall.amax(2) - tall.amin(2)
    assert (size[:, 1] > 1.8 * size[:, 0]).all()  # the box is 2 x 1 x 4: its z is up
    torch.testing.assert_close(size[:1].expand(4, 3), size, atol=0.1, rtol=0)
    assert as_samples(folder / "box" / "a.off").shape == (3, 1024)
    with zipfile.ZipFile(tmp_path / "things.zip", "w") as archive:
        for path in sorted(folder.rglob("*.*")):
            archive.write(path, path.relative_to(folder))
    with pytest.warns(DataWarning, match="thinned"):
        zipped = as_samples(tmp_path / "things.zip", kind="points:points=128,up=z")
    assert zipped.fingerprint() == samples.fingerprint()


def test_bad_files_are_left_out_by_name(tmp_path):
    folder = mesh_folder(tmp_path / "things")
    (folder / "box" / "bad.stl").write_bytes(b"nothing of the kind")
    (folder / "box" / "empty.off").write_text("OFF\n0 0 0\n")
    (folder / "dust" / "one.xyz").write_text("1 2 3\n1 2 3\n")
    (folder / "dust" / "nan.xyz").write_text("1 2 nan\n1 2 3\n")
    with pytest.warns(DataWarning) as told:
        samples = as_samples(folder, kind="points:points=64")
    text = " ".join(str(one.message) for one in told)
    assert "4 of 10 clouds in" in text
    assert len(samples) == 6
    reasons = dict(samples.skipped)
    assert reasons["dust/one.xyz"] == "has all its points in one place"
    assert "finite" in reasons["dust/nan.xyz"]
    for name in [*folder.rglob("a.*"), *folder.rglob("b.*"), *folder.rglob("c.*")]:
        name.unlink()
    with pytest.raises(
        ValueError, match="must hold at least one cloud or mesh that can be read; none of 4 can"
    ):
        as_samples(folder)


def test_furniture():
    train, test = load_data("furniture", split="train"), load_data("furniture", split="test")
    assert (test.labels >= 0).all()
    assert (train.labels < 0).sum() == 427
    known = train.subset(train.labels >= 0)
    features = KINDS["points"].features(known)
    means = np.stack([features[known.labels == label].mean(0) for label in range(13)])
    found = np.square(KINDS["points"].features(test)[:, None] - means).sum(2).argmin(1)
    assert (found == test.labels).mean() > 0.5


def test_features_by_hand():
    x = np.array([[[-1.0, 1.0], [0.1, 1.0], [0.0, 1.0]]])
    cells = occupancy(x, 2)
    assert np.flatnonzero(cells[0]).tolist() == [3, 7]
    assert cells.sum() == pytest.approx(1)
    far = distances(x, 4)
    assert far.tolist() == [[0.5, 0, 0, 0.0]]  # the pair is farther than 2, each point beside itself
    order = np.random.default_rng(0).permutation(64)
    some = made_clouds(3).transpose(0, 2, 1) / 3
    np.testing.assert_allclose(distances(some[:, :, order]), distances(some), atol=2e-3)
    np.testing.assert_array_equal(occupancy(some[:, :, order]), occupancy(some))


# Views


@pytest.mark.parametrize("view", MADE, ids=repr)
def test_views_promise_what_all_views_do(view, clouds):
    batch = batch_of(clouds)
    before = batch.x.clone()
    whole, again, other = run(view, batch)[0], run(view, batch)[0], run(view, batch, 1)[0]
    assert torch.equal(whole.x, again.x)
    assert not torch.equal(whole.x, other.x)
    assert whole.x.shape == batch.x.shape
    assert torch.equal(batch.x, before)
    equal = run(view, batch.with_x(batch.x[:1].expand_as(batch.x).contiguous()))[0].x
    assert not (equal == equal[:1]).all()
    for start, stop in ((0, 3), (3, 10)):
        torch.testing.assert_close(run(view, batch.rows(start, stop))[0].x, whole.x[start:stop])
    assert run(view, batch.to("meta"))[0].x.shape == batch.x.shape
    assert view_from_json(view_to_json(view.fitted(clouds))) == view
    assert run(view, batch.with_x(batch.x[:, :, :1]))[0].x.isfinite().all()
    with pytest.raises(ValueError, match=r"is a view of clouds of points, \(n, 3, k\); got \(3, 4\)"):
        view(Batch(torch.zeros(3, 4), torch.zeros(3, dtype=torch.long), torch.arange(3)))


def test_views_keep_what_they_say(clouds):
    batch = batch_of(clouds)
    spun = run(Spin(), batch)[0].x
    assert torch.equal(spun[:, 1], batch.x[:, 1])
    torch.testing.assert_close(spun.norm(dim=1), batch.x.norm(dim=1))
    angle = torch.atan2(spun[:, 0], spun[:, 2]) - torch.atan2(batch.x[:, 0], batch.x[:, 2])
    assert angle.cos().std(1).max() < 1e-3  # all points by one angle
    mirrored = run(PointMirror(1.0), batch)[0].x
    assert torch.equal(mirrored, batch.x * torch.tensor([-1.0, 1, 1])[:, None])
    scaled = run(PointScale(1.5), batch)[0].x / batch.x
    assert (scaled.amax(2) - scaled.amin(2)).max() < 1e-3
    assert 1 / 1.5 - 1e-4 <= scaled.min() < 0.9
    assert 1.1 < scaled.max() <= 1.5 + 1e-4
    noise = run(PointNoise(0.1, 1.0), batch)[0].x - batch.x
    assert noise.abs().max() <= 0.1 + 1e-6
    for view in (PointDrop(0.7), PointCrop(0.3, 0.3)):
        for seen, cloud in zip(run(view, batch)[0].x, batch.x, strict=True):
            assert (torch.cdist(seen.T, cloud.T).amin(1) < 1e-3).all()  # points of the cloud, and no others


def test_crops_are_the_nearest_points_to_one_of_them(clouds):
    batch = batch_of(clouds)
    for seen, cloud in zip(run(PointCrop(0.25, 0.25), batch)[0].x, batch.x, strict=True):
        left = torch.cdist(seen.T, cloud.T).argmin(1).unique()
        assert len(left) == 16
        apart = torch.cdist(cloud.T, cloud.T)
        assert any(set(row.argsort()[:16].tolist()) == set(left.tolist()) for row in apart)


@pytest.mark.parametrize("split", PointViews.splits)
@pytest.mark.parametrize("preset", [*PointViews.presets])
def test_every_split_of_every_preset(split, preset, clouds):
    made = named_views(preset, clouds, split).fitted(clouds)
    assert isinstance(made, Split)
    assert all(len(seen) == 10 and seen.x.isfinite().all() for seen in made(batch_of(clouds)))
    assert view_from_json(view_to_json(made)) == made
    assert isinstance(default_views(clouds).view, Chain)


# Encoders and methods


def test_points_far_from_each_other_and_near_to_each():
    x = torch.randn(4, 40, 3, generator=torch.Generator().manual_seed(0))
    found = farthest(x, 6)
    for cloud, chosen in zip(x, found.tolist(), strict=True):
        left = [int((cloud - cloud.mean(0)).norm(dim=1).argmax())]
        while len(left) < 6:
            left.append(int(torch.cdist(cloud, cloud[left]).amin(1).argmax()))
        assert chosen == left
    assert farthest(x[:, :2], 5).shape == (4, 5)
    near = nearest(x, x[:, :3], 5)
    for cloud, rows in zip(x, near, strict=True):
        for centre, row in zip(cloud[:3], rows, strict=True):
            assert row.tolist() == (cloud - centre).norm(dim=1).argsort()[:5].tolist()
    assert nearest(x[:, :2], x[:, :1], 5)[0, 0].tolist() in ([0, 1, 0, 1, 0],)
    line = torch.tensor([[[5.0, 0, 0], [1, 0, 0], [0, 0, 0], [3, 0, 0]]])
    assert in_line(line).tolist() == [[2, 1, 3, 0]]
    told = waves(x, 20)
    assert told.shape == (4, 40, 20)
    assert not told[..., 18:].any()
    assert torch.cdist(told[0], told[0]).fill_diagonal_(1).min() > 0.05


@pytest.mark.parametrize("name", ["auto", "pointnet", "pointnet2", "vit"])
def test_encoders_read_clouds_in_any_order(name, clouds):
    encoder, batch = make_encoder(name, clouds).eval(), batch_of(clouds)
    with torch.no_grad():
        h = encoder(batch)
        assert h.shape == (10, encoder.dim)
        mixed = batch.x[:, :, torch.randperm(64)]
        torch.testing.assert_close(encoder(batch.with_x(mixed)), h, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(encoder.layers(batch)[-1], h)
        assert encoder.tokens(batch).shape[2] == encoder.dim
        assert encoder(batch.with_x(batch.x[:, :, :20])).shape == h.shape
        assert encoder(batch.with_x(batch.x[:, :, :1])).isfinite().all()


def test_patches_are_neighbours_and_clouds_are_made_of_them(clouds):
    encoder, batch = make_encoder("vit", clouds).eval(), batch_of(clouds)
    patches = encoder.patches(batch)
    assert patches.shape == (10, 8, 16 * 3)
    assert (encoder.grid(batch), encoder.sets) == ((8,), 3)
    whole = encoder.assemble(patches, batch)
    assert whole.shape == (10, 3, 8 * 16)
    for made, cloud in zip(whole, batch.x, strict=True):
        assert (torch.cdist(made.T, cloud.T).amin(1) < 1e-3).all()
        assert (torch.cdist(cloud.T, made.T).amin(1) < 1e-3).float().mean() > 0.7  # they cover most of it
    assert not patches[:, :, :3].any()  # the nearest point to a centre is the centre
    keep = torch.tensor([[0, 3, 5]]).expand(10, -1)
    with torch.no_grad():
        all_of_them = encoder.read(batch, "states", keep=torch.arange(8).expand(10, -1))
        torch.testing.assert_close(all_of_them, encoder.read(batch, "states"))
        assert encoder.read(batch, "states", keep=keep).shape == (10, 3, 128)
    where = encoder.where(batch, 30)
    assert where.shape == (10, 8, 30)
    assert not torch.equal(where[0], where[1])


def test_mae_is_the_chamfer_distance_of_hidden_patches_alone(clouds):
    mae = replearn.MAE(epochs=1, batch_size=8, width=32, device="cpu").prepare(clouds)
    for module in mae.modules().values():
        module.double()
    eight = batch_of(clouds, 8).with_x(batch_of(clouds, 8).x.double())
    torch.manual_seed(1)
    view = mae.view(eight)
    view = view.with_x(view.x.double())
    keep, hidden = mae.hide(view)
    told = mae.predict(view, keep, hidden).detach()
    patches = mae.encoder_.patches(view)
    total = 0.0
    for n in range(8):
        for m, place in enumerate(hidden[n].tolist()):
            patch = patches[n, place].view(-1, 3)
            patch = patch - patch.mean(0)
            patch = patch / (patch.square().sum() / (patch.numel() - 1) + 1e-6).sqrt()
            guess = told[n, m].view(-1, 3)
            one = sum(min(float((a - b).square().sum()) for b in patch) for a in guess) / len(guess)
            other = sum(min(float((a - b).square().sum()) for a in guess) for b in patch) / len(patch)
            total += one + other
    torch.manual_seed(1)
    assert mae.loss(eight).item() == pytest.approx(total / hidden.numel(), rel=1e-5)


def test_hidden_patches_may_come_in_any_order_of_points(clouds):
    """Of a set, so the loss must not ask for an order: a shuffled prediction is as good."""
    from replearn.objectives.patches import patch_errors

    patches = make_encoder("vit", clouds).patches(batch_of(clouds))
    shuffled = patches.unflatten(2, (-1, 3))[:, :, torch.randperm(16)].flatten(2)
    assert patch_errors(shuffled, patches, sets=3).max() < 1e-9
    assert patch_errors(shuffled, patches).mean() > 0.1


def test_mae_shows_clouds(clouds):
    mae = quick(replearn.MAE, encoder="vit").fit(clouds)
    found = exhibit_of(mae, batch_of(clouds))
    assert [*found.pictures] == ["seen", "predicted", "true"]
    assert all(LOOKS["points"].draw(x, 48).shape == (10, 48, 48, 1) for x in found.pictures.values())


@pytest.mark.parametrize("name", one_of_each(SERVED, fast=("simclr", "mae", "supervised")))
def test_every_method_whose_needs_are_met_learns_from_clouds(clouds, name, tmp_path):
    entry = registry()[name]
    samples = labelled_for(entry.cls, clouds)
    given = {"encoder": "auto", "batch_size": 16, "epochs": 2} | (
        {"encoder": "vit"} if "patches" in getattr(entry.cls, "needs", ()) else {}
    )
    method = quick(entry.cls, **{key: value for key, value in given.items() if hasattr(entry.cls, key)})
    found = method.fit(samples, run=tmp_path / "run").transform(samples)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(replearn.load(tmp_path / "run").transform(made_clouds(48)), found)


def test_what_is_served_and_what_is_not():
    wanted = {
        "simclr",
        "vicreg",
        "byol",
        "supcon",
        "supervised",
        "mae",
        "simmim",
        "ijepa",
        "ibot",
        "dino",
        "swav",
    }
    assert wanted <= set(SERVED)
    assert not {"autoencoder", "vae", "pca", "cpc", "jigsaw"} & set(SERVED)  # points have no order
    assert all("points" in kinds_served(registry()[name].cls) for name in wanted)


def test_slices_have_the_gradient_of_the_whole(clouds):
    given = {"batch_size": 24, "epochs": 1, "optimizer": "sgd", "device": "cpu", "encoder": "vit"}
    one = replearn.SimCLR(**given).fit(clouds).transform(clouds)
    other = replearn.SimCLR(**given, slice_size=7).fit(clouds).transform(clouds)
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


# Report and commands


def test_clouds_are_drawn(clouds):
    looks, batch = LOOKS["points"], batch_of(clouds)
    for side in (16, 48):
        drawn = looks.draw(batch.x, side)
        assert drawn.shape == (10, side, side, 1)
        assert 0.01 < (drawn > 60).mean() < 0.7
    high = looks.draw(torch.tensor([[[0.0], [0.9], [0.0]]]), 48)[0, :, :, 0]
    assert high[:12].sum() > 0.9 * high.sum()  # y is up
    x = torch.tensor([[[0.0, 1], [0, 0], [1, 0]]])
    seen = turned(x, 0.0, 0.0)
    torch.testing.assert_close(seen, torch.stack([x[:, 0], x[:, 1], x[:, 2]], 1))
    points = np.frombuffer(looks.cloud(clouds, 3), np.int8).reshape(-1, 3)
    np.testing.assert_allclose(points / 127, clouds[np.array([3])].x[0].T, atol=0.005)
    assert LOOKS["image"].cloud(clouds, 0) == b""


@pytest.mark.all
def test_all_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("x.npz", x=made_clouds(60), y=np.arange(60) % 3)

    def told(*words):
        assert main([*map(str, words)]) in (0, None), capsys.readouterr().err
        return capsys.readouterr().out

    assert "points" in told("list")
    told("fit", "simclr", "x.npz", "--kind", "points", "--run", "r", "--epochs", 2, "--batch-size", 16)
    told("embed", "r", "x.npz", "--out", "rows.npy")
    assert len(np.load("rows.npy")) == 60
    assert "hand-made" in told("evaluate", "r", "x.npz")
    options = ("--data", "x.npz", "--kind", "points", "--seeds", 1, "--epochs", 1, "--run", "c")
    assert "hand-made" in told("compare", "simclr", "mae", *options)
    told("finetune", "r", "x.npz", "--to", "f", "--epochs", 2)
    told("report", "c")
    page = Path("c/report.html").read_text()
    assert page.count('<canvas class="cloud"') >= 8
    assert 'document.querySelectorAll("canvas.cloud")' in page
