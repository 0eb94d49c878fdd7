"""Volumes: read from NIfTI, DICOM and arrays, seen, learned from, drawn."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch

import replearn
from lanes import one_of_each
from made_methods import labelled_for, quick
from made_volumes import save_dicom, save_nifti
from replearn.cli import main
from replearn.data import DataWarning, as_samples, describe, load_data
from replearn.data.kinds import KINDS
from replearn.data.samples import Batch
from replearn.data.volumes import Reading, resized, windowed
from replearn.encoders import make_encoder
from replearn.methods import Model, registry
from replearn.methods.exhibit import exhibit_of
from replearn.methods.needs import kinds_served, needs_of, offers_of
from replearn.report.kinds import LOOKS
from replearn.views import Split, named_views
from replearn.views.kinds.volume import VolumeViews
from replearn.views.store import view_from_json, view_to_json
from replearn.views.volumes import (
    VolumeCrop,
    VolumeElastic,
    VolumeFlip,
    VolumeIntensity,
    VolumeMask,
    VolumeNoise,
    VolumeTurn,
)

MADE = (
    VolumeCrop(0.2, 0.8),
    VolumeTurn(40.0),
    VolumeElastic(0.1),
    VolumeFlip(),
    VolumeFlip(0),
    VolumeIntensity(0.4),
    VolumeNoise(0.2),
    VolumeMask(0.8),
)
SERVED = [name for name, entry in registry().items() if needs_of(entry.cls) <= offers_of("volume")]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("REPLEARN_CACHE", str(tmp_path_factory.mktemp("cache")))


def made_array(n: int, shape: tuple[int, ...] = (8, 10, 12)) -> np.ndarray:
    """Volumes of three kinds in turn, bars along one axis each, under noise."""
    x = np.random.default_rng(0).uniform(0, 0.4, (n, 1, *shape)).astype(np.float32)
    for place in range(n):
        bar = [slice(along // 2 - 1, along // 2 + 1) for along in shape]
        bar[place % 3] = slice(None)
        x[(place, 0, *bar)] += 0.6
    return x


@pytest.fixture(scope="module")
def volumes():
    return as_samples(made_array(48), np.arange(48) % 3, kind="volume")


def batch_of(samples, n=10) -> Batch:
    return samples[np.arange(n)]


def run(view, batch, seed=0):
    torch.manual_seed(seed)
    seen = view(batch)
    return (seen,) if isinstance(seen, Batch) else seen


# Data


def test_arrays_become_volumes_in_0_to_1(volumes, tmp_path):
    assert (volumes.kind, volumes.shape, len(volumes)) == ("volume", (1, 8, 10, 12), 48)
    assert as_samples(made_array(4)[:, 0], kind="volume").shape == (1, 8, 10, 12)
    bytes_ = (made_array(4) * 255).astype(np.uint8)
    torch.testing.assert_close(
        as_samples(bytes_, kind="volume")[np.arange(4)].floats().x, torch.from_numpy(bytes_ / np.float32(255))
    )
    units = as_samples(made_array(4) * 2000 - 1000, kind="volume:low=-1000,high=0")
    torch.testing.assert_close(
        units[np.arange(4)].x, torch.from_numpy((made_array(4) * 2).clip(0, 1)), atol=1e-4, rtol=0
    )
    stretched = as_samples(made_array(4) * 7 - 3, kind="volume")[np.arange(4)].x
    assert (stretched.min(), stretched.max()) == (0, 1)
    np.savez(tmp_path / "x.npz", x=made_array(4), y=[0, 1, 0, 1])
    assert as_samples(tmp_path / "x.npz", kind="volume").classes == ("0", "1")
    np.save(tmp_path / "x.npy", made_array(4) * 2000 - 1000)
    again = as_samples(tmp_path / "x.npy", like=describe(units))
    torch.testing.assert_close(again[np.arange(4)].x, units[np.arange(4)].x)


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (np.zeros((2, 7)), "volume", r"must be an array \(n, channels, d, h, w\)"),
        (np.full((2, 3, 4, 5), np.nan), "volume", "must be finite"),
        ([np.zeros((3, 4, 5)), np.zeros((3, 4, 6))], "volume", "must have one shape; got 2"),
        (np.full((2, 3, 4, 5), "a"), "volume", "must be numbers"),
        ("nowhere", "volume", "volumes must be a folder or zip of files"),
        (made_array(2), "volume:low=3,high=2", "low of volume must be below high; got 3 and 2"),
        (made_array(2), "volume:size=4", "must have 4 voxels a side, as size says; got an array"),
        (made_array(2), "volume:size=1", "size of volume must be at least 2"),
    ],
)
def test_what_is_no_volume_is_refused(data, kind, says):
    with pytest.raises(ValueError, match=says) as error:
        as_samples(data, kind=kind)
    assert len(str(error.value).splitlines()) == 1


def test_windows_and_sizes():
    x = np.linspace(-1000, 1000, 1001)
    found = windowed(x)
    assert (found[:6].max(), found[-6:].min(), found[500]) == (0, 1, pytest.approx(0.5))
    assert not windowed(np.full(5, 3.0)).any()
    small = resized(np.arange(8.0).reshape(1, 2, 2, 2), (1, 2, 4))
    assert small.shape == (1, 1, 2, 4)
    np.testing.assert_allclose(small[0, 0, 0], [2, 2.25, 2.75, 3])  # means of d, straight lines along w
    cut = Reading(size=4, spacing=1.0, stride=3, low=0, high=1)
    cubes = list(cut.samples_of(np.random.default_rng(0).random((7, 4, 2)), (1.0, 1.0, 1.0)))
    assert [cube.shape for cube in cubes] == [(1, 4, 4, 4)] * 2  # from 0 and 3; w is filled up
    assert not cubes[0][0, :, :, [0, 3]].any()


def test_nifti_has_its_axes_turned_and_its_spacing_kept(tmp_path, caplog):
    pytest.importorskip("nibabel")
    caplog.set_level(logging.INFO)
    x = np.zeros((6, 8, 10))  # right, front, up
    x[-1, :, :], x[:, -1, :], x[:, :, -1] = 1, 2, 4  # on the right, in front, on top
    for name in ("a/one.nii.gz", "b/two.nii"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save_nifti(tmp_path / name, x, (2.0, 1.0, 1.0))
    (tmp_path / "a" / "bad.nii").write_bytes(b"nothing")
    save_nifti(tmp_path / "b" / "four.nii", np.zeros((2, 2, 2, 2)) + 1)
    with pytest.warns(
        DataWarning, match=r"2 of 4 volumes in .* were left out: .*bad.nii.*four.nii' has 4 axes"
    ):
        samples = as_samples(tmp_path, kind="volume:size=12,spacing=1,low=0,high=8")
    assert (samples.kind, samples.shape, samples.classes) == ("volume", (1, 12, 12, 12), ("a", "b"))
    assert samples.details["spacing"] == [1, 1, 1]
    assert "voxels of 1 x 1 x 2 mm (d x h x w, median), brought to voxels of 1 mm" in caplog.text
    seen = samples[np.array([0])].x[0, 0] * 8  # w has all 12 voxels, h 8 of 12, d 10 of 12
    np.testing.assert_allclose(
        seen[5, 5, :].numpy(), [1, 0.75, 0.25] + [0] * 9, atol=1e-5
    )  # w from the right on
    assert seen[5, 2, 6] == 2  # h from the front on
    assert seen[10, 5, 6] == 4  # d up
    whole = as_samples(tmp_path / "b" / "two.nii", kind="volume:size=12")
    assert whole.details["spacing"] is None
    assert whole[np.array([0])].x.max() == 1


def test_series_in_dicom_are_put_in_order_and_rescaled(tmp_path):
    pytest.importorskip("pydicom")
    x = np.zeros((4, 5, 6)) - 1000
    x[1, 2, 3], x[3, 0, 0] = 500, 0
    save_dicom(tmp_path / "sick" / "anna", x, order=(2, 0, 3, 1))
    save_dicom(tmp_path / "sick" / "berta", x)
    save_dicom(tmp_path / "well" / "clara", x)
    save_dicom(tmp_path / "well" / "clara", x, series="1.2.4")
    save_dicom(tmp_path / "well" / "dora", x, order=(0, 1, 3))
    with pytest.warns(
        DataWarning, match=r"'well/dora' has slices that are 2 to 4 mm apart; are some missing\?"
    ):
        samples = as_samples(tmp_path, kind="volume:size=8,spacing=1,low=-1000,high=1000")
    assert samples.names[:] == ["sick/anna", "sick/berta", "well/clara series 1", "well/clara series 2"]
    assert samples.labels.tolist() == [0, 0, 1, 1]
    seen = samples[np.arange(4)].x[:, 0]
    assert torch.equal(seen, seen[:1].expand_as(seen))
    assert seen.shape == (4, 8, 8, 8)
    place = (seen[0] > 0.5).nonzero()
    assert place[:, 1:].unique(dim=0).tolist() == [[1 + 2, 1 + 3]]
    assert set(place[:, 0].tolist()) <= {1, 2, 3, 4}


def test_large_volumes_are_cut_into_cubes_that_are_groups(tmp_path):
    pytest.importorskip("nibabel")
    for number in range(2):
        save_nifti(tmp_path / f"{number}.nii", np.random.default_rng(number).random((9, 8, 8)))
    with pytest.warns(DataWarning, match="2 volumes are cut into 16 cubes"):
        samples = as_samples(tmp_path, ["a", "b"], kind="volume:size=4,spacing=1,stride=4")
    assert samples.shape == (1, 4, 4, 4)
    assert len(np.unique(samples.groups)) == 2
    assert samples.labels.tolist() == [0] * 8 + [1] * 8


def test_a_volume_that_comes_with_nibabel():
    nibabel = pytest.importorskip("nibabel")
    path = Path(nibabel.__file__).parent / "tests" / "data" / "anatomical.nii"
    if not path.is_file():
        pytest.skip("this nibabel has no test data")
    x = as_samples(path, kind="volume:size=32")[np.array([0])].x
    assert x.shape == (1, 1, 32, 32, 32)
    assert (x > 0.3).float().mean() > 0.05


def test_digits_in_space():
    train, test = load_data("digits3d", split="train"), load_data("digits3d", split="test")
    x = train[np.arange(64)].floats().x
    assert 0.02 < (x > 0.5).float().mean() < 0.2
    assert KINDS["volume"].features(test.subset(np.arange(6))).shape == (6, 512 + 32)
    middles = [(x[i, 0] > 0.5).nonzero().float().mean(0) for i in range(64)]
    assert torch.stack(middles).std(0).min() > 0.5  # moved


# Views


@pytest.mark.parametrize("view", MADE, ids=repr)
def test_views_promise_what_all_views_do(view, volumes):
    batch = batch_of(volumes)
    before = batch.x.clone()
    whole, again, other = run(view, batch)[0], run(view, batch)[0], run(view, batch, 1)[0]
    assert torch.equal(whole.x, again.x)
    assert not torch.equal(whole.x, other.x)
    assert whole.x.shape == batch.x.shape
    assert whole.x.min() >= 0 and whole.x.max() <= 1 + 1e-5  # noqa: PT018 - of one thing
    assert torch.equal(batch.x, before)
    equal = run(view, batch.with_x(batch.x[:1].expand_as(batch.x).contiguous()))[0].x
    assert not (equal == equal[:1]).all()
    for start, stop in ((0, 3), (3, 10)):
        torch.testing.assert_close(run(view, batch.rows(start, stop))[0].x, whole.x[start:stop])
    assert run(view, batch.to("meta"))[0].x.shape == batch.x.shape
    assert view_from_json(view_to_json(view.fitted(volumes))) == view
    assert run(view, batch.with_x(batch.x[:, :, :1, :1, :1]))[0].x.isfinite().all()
    with pytest.raises(ValueError, match=r"is a view of volumes, \(n, c, d, h, w\); got \(3, 4\)"):
        view(Batch(torch.zeros(3, 4), torch.zeros(3, dtype=torch.long), torch.arange(3)))


def test_crops_turns_and_flips_are_where_they_should_be():
    ramp = torch.linspace(0, 1, 16).expand(6, 1, 16, 16, 16).contiguous()  # along w
    batch = Batch(ramp, torch.zeros(6, dtype=torch.long), torch.arange(6))
    crop = run(VolumeCrop(0.125, 0.125), batch)[0].x
    torch.testing.assert_close(
        crop.diff(dim=4).mean((1, 2, 3, 4)), torch.full((6,), 1 / 15 / 2), atol=3e-3, rtol=0
    )
    assert crop.diff(dim=2).abs().max() < 1e-5
    assert torch.equal(run(VolumeFlip(2, 1.0), batch)[0].x, ramp.flip(4))
    assert torch.equal(run(VolumeFlip(0, 1.0), batch)[0].x, ramp)
    ball = (
        torch.stack(torch.meshgrid([torch.linspace(-1, 1, 16)] * 3, indexing="ij")).square().sum(0) < 0.5
    ).float()
    balls = batch.with_x(ball.expand(6, 1, 16, 16, 16).contiguous())
    turned = run(VolumeTurn(180.0), balls)[0].x
    assert (turned - balls.x).abs().mean() < 0.03  # a ball is a ball from all sides
    moved = run(VolumeElastic(0.05), balls)[0].x
    assert 0.01 < (moved - balls.x).abs().mean() < 0.2
    hidden = run(VolumeMask(1.0), batch.with_x(torch.ones_like(ramp)))[0].x
    for one in hidden[:, 0]:
        where = (one == 0).nonzero()
        if len(where):
            assert (where.amax(0) - where.amin(0) + 1).prod() == len(where)  # a box


@pytest.mark.parametrize("split", VolumeViews.splits)
@pytest.mark.parametrize("preset", [*VolumeViews.presets])
def test_every_split_of_every_preset(split, preset, volumes):
    made = named_views(preset, volumes, split).fitted(volumes)
    assert isinstance(made, Split)
    assert all(len(seen) == 10 and seen.x.isfinite().all() for seen in made(batch_of(volumes)))
    assert view_from_json(view_to_json(made)) == made


# Encoders and methods


@pytest.mark.parametrize("name", ["auto", "cnn", "vit", "mlp", "linear"])
def test_encoders(name, volumes):
    torch.manual_seed(0)
    encoder, batch = make_encoder(name, volumes).eval(), batch_of(volumes)
    with torch.no_grad():
        h = encoder(batch)
        assert h.shape == (10, encoder.dim)
        torch.testing.assert_close(encoder.layers(batch)[-1], h)
        torch.testing.assert_close(encoder.tokens(batch).mean(1), h)
        if name in ("cnn", "vit"):
            assert encoder(batch.with_x(batch.x[:, :, :5])).shape == h.shape
    if name == "vit":
        assert encoder.grid(batch) == (3, 4, 4)
        assert encoder.sets == 0
        torch.testing.assert_close(encoder.assemble(encoder.patches(batch), batch), batch.x)


@pytest.mark.parametrize("name", one_of_each(SERVED, fast=("simclr", "mae", "autoencoder")))
def test_every_method_whose_needs_are_met_learns_from_volumes(volumes, name, tmp_path):
    entry = registry()[name]
    samples = labelled_for(entry.cls, volumes)
    given = {"encoder": "auto", "batch_size": 16, "epochs": 2} | (
        {"encoder": "vit"} if "patches" in getattr(entry.cls, "needs", ()) else {}
    )
    method = quick(entry.cls, **{key: value for key, value in given.items() if hasattr(entry.cls, key)})
    if not isinstance(method, Model):
        assert method.fit_transform(samples.flat()).shape[0] == len(samples)
        return
    found = method.fit(samples, run=tmp_path / "run").transform(samples)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(replearn.load(tmp_path / "run").transform(made_array(48)), found)


def test_what_is_served():
    wanted = {
        "simclr",
        "vicreg",
        "byol",
        "supervised",
        "mae",
        "simmim",
        "ijepa",
        "autoencoder",
        "vae",
        "pca",
        "dino",
    }
    assert wanted <= {*SERVED, "pca"}
    assert all("volume" in kinds_served(registry()[name].cls) for name in wanted)


def test_mae_shows_volumes_and_they_are_drawn(volumes):
    mae = quick(replearn.MAE, encoder="vit").fit(volumes)
    found = exhibit_of(mae, batch_of(volumes))
    looks = LOOKS["volume"]
    for x in found.pictures.values():
        assert looks.draw(x, 48).shape == (10, 48, 48, 1)
    top = torch.zeros(1, 1, 8, 8, 8)
    top[:, :, -1] = 1  # the end of d
    picture = looks.draw(top, 48)[0, :, :, 0]
    assert not picture[:24, :24].any()  # the slice across the middle of d is empty
    assert picture[:3, 24:].min() == 255  # beside it, it is at the top
    assert not picture[4:24].any()
    assert looks.draw(torch.rand(2, 3, 5, 9, 4), 17).shape == (2, 17, 17, 1)


@pytest.mark.all
def test_all_commands(tmp_path, monkeypatch, capsys):
    pytest.importorskip("nibabel")
    monkeypatch.chdir(tmp_path)
    for number, x in enumerate(made_array(60, (8, 8, 8))):
        (tmp_path / "data" / "abc"[number % 3]).mkdir(parents=True, exist_ok=True)
        save_nifti(tmp_path / "data" / "abc"[number % 3] / f"{number}.nii.gz", x[0])

    def told(*words):
        assert main([*map(str, words)]) in (0, None), capsys.readouterr().err
        return capsys.readouterr().out

    assert "volume" in told("list")
    told("fit", "simclr", "data", "--kind", "volume:size=8", "--run", "r", "--epochs", 2, "--batch-size", 16)
    told("embed", "r", "data", "--out", "rows.npy")
    assert len(np.load("rows.npy")) == 60
    assert "hand-made" in told("evaluate", "r", "data")
    told(
        "compare",
        "pca",
        "mae",
        "--data",
        "data",
        "--kind",
        "volume:size=8",
        "--seeds",
        1,
        "--epochs",
        1,
        "--run",
        "c",
    )
    told("finetune", "r", "data", "--to", "f", "--epochs", 2)
    told("report", "r")
    assert "data:image/png;base64" in Path("r/report.html").read_text()
