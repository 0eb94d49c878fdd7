"""Series of sensors: read from arrays, files and long tables, with what was filled, cut and padded told by numbers."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import replearn
from lanes import one_of_each
from made_methods import labelled_for, quick
from replearn.cli import main
from replearn.data import DataWarning, as_samples, describe, load_data, read_alike, split
from replearn.data.kinds import KINDS, Series
from replearn.data.samples import Batch
from replearn.encoders import make_encoder
from replearn.methods import Model, registry
from replearn.methods.needs import kinds_served, needs_of, offers_of
from replearn.report.kinds import LOOKS
from replearn.views import Chain, Split, default_views, named_views, view_from_json, view_to_json
from replearn.views.kinds.series import SeriesViews, in_triples
from replearn.views.parts import Parts
from replearn.views.series import (
    Gain,
    Permute,
    TimeCrop,
    TimeMask,
    TimeNoise,
    TimeWarp,
    Turn,
)

MADE = [
    TimeNoise(0.3),
    Gain(2.0),
    Turn(90.0),
    TimeWarp(0.3),
    TimeCrop(),
    TimeCrop(stretched=False),
    Permute(3),
    TimeMask(0.5),
]
SERVED = [name for name, entry in registry().items() if needs_of(entry.cls) <= offers_of("series")]


@pytest.fixture
def waves():
    """Three classes of 16 series of two channels, told apart by their frequency."""
    return as_samples(made_waves(48), np.arange(48) % 3, kind="series")


def made_waves(n: int, length: int = 40) -> np.ndarray:
    draw, at = np.random.default_rng(0), np.arange(length) / length
    turns = 2 + 3 * (np.arange(n) % 3)[:, None]
    phase = draw.uniform(0, 6, (n, 1))
    x = np.stack([np.sin(6.28 * turns * at + phase), np.cos(6.28 * turns * at + phase)], 1)
    return (5 + x + 0.1 * draw.normal(size=x.shape)).astype(np.float32)


def read(data, **options):
    """Samples, and the one line that was told of them."""
    with pytest.warns(DataWarning) as told:
        samples = as_samples(data, **{"kind": "series"} | options)
    assert len(told) == 1
    return samples, str(told[0].message)


# Arrays


def test_arrays_are_series_where_they_are_asked_for(waves):
    assert (waves.kind, waves.shape, len(waves), waves.classes) == ("series", (2, 40), 48, ("0", "1", "2"))
    assert as_samples(made_waves(4)).kind == "image"
    assert as_samples(made_waves(4)[:, 0], kind="series").shape == (1, 40)
    assert as_samples(torch.from_numpy(made_waves(4)), kind=Series()).shape == (2, 40)
    torch.testing.assert_close(waves.statistics[0], torch.full((2,), 5.0), atol=0.1, rtol=0)
    assert as_samples(made_waves(4), like=describe(waves)).kind == "series"


def test_a_memory_map_stays_on_disk(tmp_path):
    np.save(tmp_path / "x.npy", made_waves(9))
    samples = as_samples(tmp_path / "x.npy", kind="series")
    assert type(samples.x).__name__ == "StoredRows"
    np.testing.assert_array_equal(samples[np.array([3, 1])].x, made_waves(9)[[3, 1]])
    np.savez(tmp_path / "x.npz", x=made_waves(9), y=np.arange(9) % 2)
    assert as_samples(tmp_path / "x.npz", kind="series").classes == ("0", "1")


def test_missing_values_are_filled_on_straight_lines_and_counted():
    x = made_waves(5)
    x[1, 0, 10:13], x[3, 1, 0], x[3, 0, 39] = np.nan, np.nan, np.nan
    samples, line = read(x)
    assert line.startswith("the recordings: 5 missing values in 2 of 5 recordings are filled")
    found = samples[np.arange(5)].x.numpy()
    np.testing.assert_allclose(found[1, 0, 9:14], np.linspace(x[1, 0, 9], x[1, 0, 13], 5), rtol=1e-6)
    assert (found[3, 1, 0], found[3, 0, 39]) == (x[3, 1, 1], x[3, 0, 38])
    assert np.isnan(x).sum() == 5  # what was given stays


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (np.nan, "recording 2 has no value in channel 1"),
        (np.inf, "recording 2 has inf in channel 1, row 0"),
        (1e30, "recording 2 has 1e\\+30 in channel 1, row 0"),
    ],
)
def test_what_can_not_be_filled_is_an_error(spoil, says):
    x = made_waves(5)
    x[2, 1] = spoil
    with pytest.raises(ValueError, match=says):
        as_samples(x, kind="series")


def test_unlike_lengths_are_cut_and_padded_and_counted():
    found = [row[:, :length] for row, length in zip(made_waves(4), (40, 30, 30, 24), strict=True)]
    samples, line = read(found)
    assert samples.shape == (2, 30)
    assert "1 of 4 recordings are cut to the 30 rows in their middle (10 rows are left out)" in line
    assert "1 of 4 recordings are padded to 30 rows with their last values (6 rows are made up)" in line
    x = samples[np.arange(4)].x.numpy()
    np.testing.assert_array_equal(x[0], found[0][:, 5:35])
    assert (x[3, :, 24:] == x[3, :, 23:24]).all()
    with pytest.raises(ValueError, match="strict: the recordings"):
        as_samples(found, kind="series", strict=True)


def test_windows_slide_and_stay_together():
    samples, line = read(made_waves(6), kind="series:length=10,stride=8", labels=list("abcabc"))
    assert line.endswith("6 recordings are cut into 24 windows of 10 rows, one every 8; 36 rows are in none")
    assert samples.shape == (2, 10)
    assert samples.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [0] * 4 + [1] * 4 + [2] * 4
    np.testing.assert_array_equal(samples[np.array([5])].x[0], made_waves(6)[1, :, 8:18])
    train, test = split(samples, test=0.5)
    assert not {*train.groups} & {*test.groups}
    again, _ = read(made_waves(2), kind=None, like=describe(samples))
    assert (len(again), again.shape) == (8, (2, 10))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (np.zeros((3, 4, 5, 6)), r"an array \(n, channels, rows\).*got shape \(3, 4, 5, 6\)"),
        (np.zeros((3, 0, 5)), r"with values; got shape \(3, 0, 5\)"),
        ([np.zeros((2, 9)), np.zeros((3, 9))], r"recording 1 has shape \(3, 9\), recording 0 \(2, 9\)"),
        ([np.zeros((2, 9)), np.zeros((2, 0))], r"recording 1 has shape \(2, 0\)"),
        (np.array([["a", "b"]]), "series must be numbers"),
        ("digits8x8", "kind must be what the data are"),
        ("nowhere", "series must be an array, .npy, .npz, a folder"),
    ],
)
def test_what_is_no_series_is_an_error_in_a_line(data, says):
    with pytest.raises(ValueError, match=says) as raised:
        as_samples(data, kind="series")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("series:lenght=3", "got 'lenght=3', and it has length, stride, id, time"),
        ("series:length=x", "length of series must be a number; got 'x'"),
        ("series:stride=0", "stride of series must be at least 1; got 0"),
        ("image:size=3", "got 'size=3', and it has none"),
        ("serie", "Did you mean 'series'"),
    ],
)
def test_settings_are_looked_at(kind, says):
    with pytest.raises(ValueError, match=says):
        as_samples(made_waves(4), kind=kind)


# Files


def folder_of(folder: Path, **changed) -> Path:
    """Two folders, walk and run, of three recordings each of 30 rows."""
    for number, x in enumerate(made_waves(6, 30)):
        place = folder / ("walk", "run")[number % 2]
        place.mkdir(exist_ok=True)
        frame = pd.DataFrame({"time": np.arange(30) / 10, "x": x[0], "y": x[1], "note": "n"})
        frame.to_csv(place / f"{number}.csv", index=False)
    return folder


def test_a_folder_of_recordings(tmp_path):
    folder = folder_of(tmp_path)
    samples = as_samples(folder)
    assert (samples.kind, samples.shape, samples.classes) == ("series", (2, 30), ("run", "walk"))
    assert samples.details == {"channels": ["x", "y"], "stride": None}
    assert samples.names[0] == "run/1.csv"
    np.testing.assert_allclose(samples[np.array([0])].x[0], made_waves(6, 30)[1], atol=1e-6)
    assert as_samples(folder).fingerprint() == samples.fingerprint()
    assert read_alike(folder, describe(samples)).fingerprint() == samples.fingerprint()


def test_bad_files_are_left_out_and_named(tmp_path):
    folder = folder_of(tmp_path)
    (folder / "run" / "empty.csv").write_text("")
    (folder / "run" / "words.csv").write_text("a,b\nx,y\nz,w\n")
    (folder / "walk" / "others.csv").write_text("x,z\n1,2\n3,4\n")
    (folder / "walk" / "dead.csv").write_text("x,y\n1,\n3,\n")
    samples, line = read(folder, kind=None)
    assert len(samples) == 6
    reasons = dict(samples.skipped)
    assert reasons["run/words.csv"] == "has no column of numbers"
    assert reasons["walk/others.csv"] == "has channels x, z, not x, y"
    assert reasons["walk/dead.csv"] == "has no value in channel 'y'"
    assert reasons["run/empty.csv"].startswith("cannot be read")
    assert line.startswith(f"4 of 10 recordings in {folder} were left out")


def test_a_folder_without_a_readable_recording_is_an_error(tmp_path):
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(ValueError, match="must hold at least one recording that can be read; none of 1 can"):
        as_samples(tmp_path)


def test_a_column_of_labels_is_not_learned_from(tmp_path):
    for name, labels in (("a", [1] * 10), ("b", [2] * 10), ("c", [1] * 4 + [2] * 6)):
        pd.DataFrame({"x": np.arange(10.0), "label": labels}).to_csv(tmp_path / f"{name}.csv", index=False)
    samples, line = read(tmp_path, kind=None)
    assert samples.shape == (1, 10)
    assert samples.labels.tolist() == [1, 2, 2]
    assert "1 windows have several labels, of which the most frequent is taken" in line


def test_rows_are_put_in_order_and_uneven_steps_are_told(tmp_path):
    order = [2, 0, 1, 3]
    pd.DataFrame({"t": np.array([0, 1, 2, 9])[order], "x": np.array([0.0, 1, 2, 3])[order]}).to_csv(
        tmp_path / "a.csv", index=False
    )
    samples, line = read(tmp_path, kind=None)
    assert samples.flat().tolist() == [[0, 1, 2, 3]]
    assert "1 of 1 recordings have uneven steps of time" in line


def test_a_long_table(tmp_path):
    parts = [
        pd.DataFrame(
            {
                "trial": name,
                "time": np.arange(20),
                "x": x[0],
                "y": x[1],
                "label": "ab"[i % 2],
                "who": f"p{i // 2}",
            }
        )
        for i, (name, x) in enumerate(zip(("u", "v", "w", "z"), made_waves(4, 20), strict=True))
    ]
    frame = pd.concat(parts).sample(frac=1, random_state=0)
    frame.to_csv(tmp_path / "long.csv", index=False)
    for data in (frame, tmp_path / "long.csv"):
        samples = as_samples(data, kind="series:id=trial", groups="who")
        order = np.argsort(samples.names)
        np.testing.assert_allclose(samples[order].x, made_waves(4, 20), atol=1e-5)
        assert samples.labels[order].tolist() == [0, 1, 0, 1]
        assert samples.groups[order].tolist() == ["p0", "p0", "p1", "p1"]
        again = read_alike(data, describe(samples), groups="who")
        assert again.fingerprint() == samples.fingerprint()
    with pytest.raises(ValueError, match=r"must have a column 'id'.*kind='series:id=COLUMN'"):
        as_samples(frame, kind="series")
    frame.loc[frame["trial"] == "v", "y"] = np.nan
    with pytest.raises(ValueError, match="trial v has no value in channel 'y'"):
        as_samples(frame, kind="series:id=trial", groups="who")


def test_images_and_texts_are_read_as_before(tmp_path, caplog):
    folder_of(tmp_path)
    (tmp_path / "walk" / "notes.txt").write_text("hello")
    assert as_samples(tmp_path).kind == "text"


def test_motions():
    train, test = load_data("motions", split="train"), load_data("motions", split="test")
    features = KINDS["series"].features(train)
    assert features.shape == (40, 6 * 10 - 12) or features.shape[1] >= 40
    means = np.stack([features[train.labels == label].mean(0) for label in range(4)])
    found = np.square(KINDS["series"].features(test)[:, None] - means).sum(2).argmin(1)
    assert (found == test.labels).mean() > 0.8
    assert default_views(train).view.views[2].__class__ is Turn


# Views


def batch_of(samples, n=10) -> Batch:
    return samples[np.arange(n)]


def run(view, batch, seed=0):
    torch.manual_seed(seed)
    seen = view(batch)
    return (seen,) if isinstance(seen, Batch) else seen


@pytest.mark.parametrize("view", MADE, ids=repr)
def test_views_promise_what_all_views_do(view, waves):
    batch = batch_of(waves)
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
    fitted = view.fitted(waves)
    assert view_from_json(view_to_json(fitted)) == fitted
    short = batch.with_x(batch.x[:, :1, :1])
    assert run(view, short)[0].x.isfinite().all()
    with pytest.raises(ValueError, match=r"is a view of series and sounds, \(n, c, t\); got \(3, 4\)"):
        view(Batch(torch.zeros(3, 4), torch.zeros(3, dtype=torch.long), torch.arange(3)))


def test_no_unit_matters(waves):
    """A view of series in other units is the view, in other units."""
    other = as_samples(made_waves(48) * 100 - 3, kind="series")
    view = Chain(TimeNoise(0.3), Gain(2.0), TimeMask(0.4))
    a, b = (run(view.fitted(samples), batch_of(samples))[0].x for samples in (waves, other))
    torch.testing.assert_close(a * 100 - 3, b, rtol=1e-3, atol=1e-2)


def test_turns_keep_lengths_and_turn_all_triples_alike():
    x = torch.randn(5, 6, 20, generator=torch.Generator().manual_seed(0))
    x[:, 3:] = x[:, :3]
    seen = run(Turn(180.0), Batch(x, torch.zeros(5, dtype=torch.long), torch.arange(5)))[0].x
    torch.testing.assert_close(seen[:, :3].norm(dim=1), x[:, :3].norm(dim=1))
    torch.testing.assert_close(seen[:, 3:], seen[:, :3])
    assert not torch.allclose(seen, x, atol=0.1)


def test_warps_keep_the_ends_and_the_order(waves):
    ramp = batch_of(waves).with_x(torch.arange(40.0).expand(10, 2, 40))
    seen = run(TimeWarp(0.5), ramp)[0].x
    assert (seen.diff(dim=2) > 0).all()
    torch.testing.assert_close(seen[:, :, [0, -1]], ramp.x[:, :, [0, -1]].clone(), atol=1e-3, rtol=0)
    part = run(TimeCrop(0.5, 0.5), ramp)[0].x
    torch.testing.assert_close(part[:, :, -1] - part[:, :, 0], torch.full((10, 2), 19.5), atol=1e-3, rtol=0)
    pieces = run(Permute(4), ramp)[0].x
    assert torch.equal(pieces.sort(2).values, ramp.x)
    assert torch.equal(pieces[:, 0].view(10, 4, 10).diff(dim=2), torch.ones(10, 4, 9))


@pytest.mark.parametrize("split", SeriesViews.splits)
@pytest.mark.parametrize("preset", ["series", "motion"])
def test_every_split_of_every_preset(split, preset, waves):
    made = named_views(preset, waves, split).fitted(waves)
    assert isinstance(made, Split)
    assert all(len(seen) == 10 and seen.x.isfinite().all() for seen in made(batch_of(waves)))
    assert view_from_json(view_to_json(made)) == made
    if isinstance(made, Parts):
        shapes = [part.shape for part in made.describe(describe(waves))]
        assert shapes == [tuple(part.x.shape[1:]) for part in made.parts(batch_of(waves))]


def test_axes_are_told_by_names(waves):
    assert in_triples(waves) == (False, "there are 2 channels without names")
    assert in_triples(load_data("motions"))[0]
    three = as_samples(np.zeros((4, 3, 9)), kind="series")
    assert in_triples(three)[0]
    three.details = {"channels": ["heat", "light", "wind"]}
    assert not in_triples(three)[0]


# Encoders, methods, commands


@pytest.mark.parametrize("name", ["auto", "cnn", "vit", "sensors", "mlp", "linear"])
def test_encoders(name, waves):
    torch.manual_seed(0)
    encoder, batch = make_encoder(name, waves).eval(), batch_of(waves)
    with torch.no_grad():
        h = encoder(batch)
        assert h.shape == (10, encoder.dim)
        torch.testing.assert_close(encoder.layers(batch)[-1], h)
        torch.testing.assert_close(encoder.tokens(batch).mean(1), h)
        if name in ("cnn", "vit", "sensors"):
            assert encoder(batch.with_x(batch.x[:, :, :17])).shape == h.shape
    if name in ("vit", "sensors"):
        assert encoder.grid(batch) == ((20,) if name == "vit" else (2, 20))
        torch.testing.assert_close(encoder.assemble(encoder.patches(batch), batch), batch.x)


def test_patches_of_sensors_hide_a_stretch_of_one_alone():
    draw = np.random.default_rng(0)
    samples = as_samples(draw.normal(size=(20, 3, 67)).astype(np.float32), kind="series")
    encoder, batch = make_encoder("sensors", samples).eval(), samples[np.arange(4)]
    assert encoder.grid(batch) == (3, 23)  # of three rows each, the last one filled up
    patches = encoder.patches(batch)  # (n, p, 3)
    standard = encoder.standardise(batch)
    torch.testing.assert_close(
        patches[:, 23 + 5], standard[:, 1, 15:18]
    )  # the sixth stretch of the second sensor
    torch.testing.assert_close(encoder.assemble(patches, batch), batch.x)
    patches[:, 23 + 5] = 0
    changed = (encoder.assemble(patches, batch) - batch.x).abs().amax(0) > 1e-6
    assert changed.nonzero().tolist() == [[1, 15], [1, 16], [1, 17]]


def test_mae_hides_stretches_of_single_sensors():
    samples = as_samples(np.random.default_rng(0).normal(size=(20, 3, 64)).astype(np.float32), kind="series")
    method = replearn.MAE(encoder="sensors", epochs=1, device="cpu").fit(samples)
    _, hidden = method.hide(samples[np.arange(20)])
    grid = torch.zeros(20, 3 * 32).scatter(1, hidden, 1).view(20, 3, 32)
    assert set(grid.sum(1).unique().tolist()) == {0, 1, 2, 3}  # none of the sensors, some, or all
    assert method.transform(samples).shape == (20, 4 * 128)


@pytest.mark.parametrize(
    "name", one_of_each(SERVED, fast=("simclr", "mae", "cpc", "autoencoder", "supervised"))
)
def test_every_method_whose_needs_are_met_learns_from_series(waves, name, tmp_path):
    entry = registry()[name]
    samples = labelled_for(entry.cls, waves)
    given = {"encoder": "auto", "batch_size": 16, "epochs": 2} | (
        {"encoder": "vit"} if "patches" in getattr(entry.cls, "needs", ()) else {}
    )
    method = quick(entry.cls, **{key: value for key, value in given.items() if hasattr(entry.cls, key)})
    if not isinstance(method, Model):
        assert method.fit_transform(samples.flat()).shape[0] == len(samples)
        return
    found = method.fit(samples, run=tmp_path / "run").transform(samples)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(replearn.load(tmp_path / "run").transform(made_waves(48)), found)


def test_all_that_the_issue_names_are_served():
    wanted = {
        "simclr",
        "vicreg",
        "byol",
        "supcon",
        "supervised",
        "mae",
        "simmim",
        "cpc",
        "autoencoder",
        "vae",
        "dino",
    }
    assert wanted <= set(SERVED)
    assert all("series" in kinds_served(registry()[name].cls) for name in wanted)


def test_slices_have_the_gradient_of_the_whole(waves):
    given = {"batch_size": 32, "epochs": 1, "optimizer": "sgd", "device": "cpu", "encoder": "vit"}
    one = replearn.SimCLR(**given).fit(waves).transform(waves)
    other = replearn.SimCLR(**given, slice_size=7).fit(waves).transform(waves)
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.all
def test_simclr_learns_what_its_untrained_encoder_does_not_know():
    """Frequencies under noise, by the means of five labels a class."""
    draw = np.random.default_rng(0)
    x = made_waves(240) + draw.normal(0, 1.0, (240, 2, 40)).astype(np.float32)
    samples = as_samples(x, np.arange(240) % 3, kind="series")

    def score(method):
        h = method.transform(samples)
        means = np.stack([h[label:15:3].mean(0) for label in range(3)])
        return (np.square(h[15:, None] - means).sum(2).argmin(1) == samples.labels[15:]).mean()

    method = replearn.SimCLR(epochs=30, batch_size=60, device="cpu")
    before = score(method.prepare(samples))
    assert score(method.fit(samples)) > max(0.75, before + 0.1)


def test_series_are_drawn(waves):
    looks = LOOKS["series"]
    for side in (16, 48):
        drawn = looks.draw(batch_of(waves).x, side)
        assert drawn.shape == (10, side, side, 1)
        assert 0.02 < (drawn > 127).mean() < 0.6
    ramp = torch.linspace(0, 1, 60).expand(1, 1, 60)
    picture = looks.draw(ramp, 48)[0, :, :, 0]
    assert np.abs(picture.argmax(0) - np.linspace(46, 0, 48)).max() <= 2
    assert looks.draw(torch.zeros(2, 9, 5), 16).shape == (2, 16, 16, 1)


@pytest.mark.all
def test_all_commands(tmp_path, monkeypatch, capsys, caplog):
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO)
    data = tmp_path / "data"
    data.mkdir()
    for number, x in enumerate(made_waves(60)):
        (data / "abc"[number % 3]).mkdir(exist_ok=True)
        pd.DataFrame(x.T, columns=["x", "y"]).to_csv(data / "abc"[number % 3] / f"{number}.csv", index=False)

    def told(*words):
        assert main([*map(str, words)]) in (0, None), capsys.readouterr().err
        return capsys.readouterr().out

    assert "series" in told("list")
    told("fit", "simclr", data, "--run", "r", "--epochs", 2, "--batch-size", 16)
    told("embed", "r", data, "--out", "rows.npy")
    assert len(np.load("rows.npy")) == 60
    assert "hand-made" in told("evaluate", "r", data)
    options = ("--data", data, "--seeds", 1, "--epochs", 1, "--run", "c")
    assert "hand-made" in told("compare", "pca", "mae", *options)
    told("finetune", "r", data, "--to", "f", "--epochs", 2)
    told("report", "r")
    assert "data:image/png;base64" in Path("r/report.html").read_text()
    np.save("x.npy", made_waves(30))
    told(
        "fit", "simclr", "x.npy", "--kind", "series:length=20", "--run", "w", "--epochs", 1, "--batch-size", 8
    )
    told("embed", "w", "x.npy", "--out", "few.npy")
    assert len(np.load("few.npy")) == 30
