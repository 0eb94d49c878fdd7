"""Sounds: decoded once, in one channel, at one rate and of one length; seen, encoded, drawn."""

import io
import logging
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import replearn
from lanes import one_of_each
from made_methods import labelled_for, quick
from replearn.cli import main
from replearn.data import DataWarning, as_samples, describe, load_data, read_alike, split
from replearn.data.kinds import KINDS, Sound
from replearn.data.mel import FLOOR, filters, log_mel, mel_of
from replearn.data.samples import Batch
from replearn.data.sound import resampled
from replearn.encoders import make_encoder
from replearn.methods import Model, registry
from replearn.methods.needs import needs_of, offers_of
from replearn.report.kinds import LOOKS
from replearn.views import Split, default_views, named_views, view_from_json, view_to_json
from replearn.views.kinds.sound import SoundViews
from replearn.views.parts import Parts
from replearn.views.series import TimeCrop
from replearn.views.sound import BandMask, Hiss, MixIn, Reverb, Speed, Tone

RATE = 4000
MADE = [Speed(1.5), Hiss(0.0, 10.0), Reverb(0.1, 1.0, 4000), Tone(6.0), MixIn(0.5), BandMask(0.5, 4000)]
SERVED = [name for name, entry in registry().items() if needs_of(entry.cls) <= offers_of("sound")]


def tones(n: int, length: int = 1600, rate: int = RATE) -> np.ndarray:
    """Three classes of tones of 300, 600 and 1,200 Hz, float32 `(n, t)`."""
    draw, at = np.random.default_rng(0), np.arange(length) / rate
    pitch = 300 * 2 ** (np.arange(n) % 3)[:, None] * draw.uniform(0.97, 1.03, (n, 1))
    x = 0.5 * np.sin(2 * np.pi * pitch * at + draw.uniform(0, 6, (n, 1)))
    return (x + 0.02 * draw.normal(size=x.shape)).astype(np.float32)


@pytest.fixture
def beeps():
    return as_samples(tones(48), np.arange(48) % 3, kind=Sound(rate=RATE))


def folder_of(folder: Path, n: int = 6, **kinds) -> Path:
    """Sub-folders a, b, c of wav files at 4,000 Hz; another ending where it is told by a name."""
    soundfile = pytest.importorskip("soundfile")
    for number, x in enumerate(tones(n)):
        place = folder / "abc"[number % 3]
        place.mkdir(exist_ok=True)
        soundfile.write(place / f"{number}.wav", x, RATE)
    return folder


def read(data, **options):
    """Samples, and the one line that was told of them."""
    with pytest.warns(DataWarning) as told:
        samples = as_samples(data, **options)
    assert len(told) == 1
    return samples, str(told[0].message)


# Arrays


def test_arrays_with_a_rate(beeps):
    assert (beeps.kind, beeps.shape, len(beeps)) == ("sound", (1, 1600), 48)
    assert beeps.details == {"rate": 4000, "stride": None}
    np.testing.assert_array_equal(beeps[np.array([3])].x[0, 0], tones(48)[3])
    whole = (tones(4) * 32_768).astype(np.int16)
    np.testing.assert_array_equal(
        as_samples(whole, kind="sound:rate=4000").flat(), whole / np.float32(32_768)
    )
    part = beeps.subset(np.arange(6))
    assert describe(part).details == beeps.details
    again = as_samples(tones(4), like=describe(part))
    assert (again.kind, again.details["rate"]) == ("sound", 4000)


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (tones(3), "sound", "arrays of sound must come with their rate; got none"),
        (tones(3), "sound:rate=0", "rate of sound must be at least 100; got 0"),
        (tones(3), "sound:rate=fast", "rate of sound must be a number; got 'fast'"),
        (tones(3) * 9, "sound:rate=4000", r"must lie in \[-1, 1\]; got 5"),
        (np.full((3, 9), np.nan, np.float32), "sound:rate=4000", "must be finite"),
        (np.zeros((3, 9), np.int64), "sound:rate=4000", "floats in .* or int16; got int64"),
        (np.zeros((3, 2, 9)), "sound:rate=4000", "must have one channel; got 2"),
        ("nowhere", "sound", "must be a folder or zip of files"),
        (["nowhere.wav"], "sound", "must name existing files; got 'nowhere.wav'"),
    ],
)
def test_what_is_no_sound_is_an_error_in_a_line(data, kind, says):
    with pytest.raises(ValueError, match=says) as raised:
        as_samples(data, kind=kind)
    assert "\n" not in str(raised.value)


def test_recordings_of_unlike_lengths_and_crops_that_slide():
    found = [row[:length] for row, length in zip(tones(3), (1600, 800, 400), strict=True)]
    samples, line = read(found, kind="sound:rate=4000")
    assert samples.shape == (1, 800)
    assert "1 of 3 recordings are padded to 800 rows with silence (400 rows" in line
    assert not samples[np.array([2])].x[0, 0, 400:].any()
    samples, line = read(tones(4), kind="sound:rate=4000,seconds=0.1,stride=0.1", labels=list("abab"))
    assert (len(samples), samples.shape) == (16, (1, 400))
    assert samples.labels.tolist() == [0] * 4 + [1] * 4 + [0] * 4 + [1] * 4
    train, test = split(samples, test=0.5)
    assert not {*train.groups} & {*test.groups}


# Files


def test_a_folder_of_sounds(tmp_path):
    folder = folder_of(tmp_path)
    (tmp_path / "a" / "notes.txt").write_text("not a sound")
    samples = as_samples(folder)
    assert (samples.kind, samples.shape, samples.classes) == ("sound", (1, 1600), ("a", "b", "c"))
    assert samples.details["rate"] == 4000
    np.testing.assert_allclose(samples[np.array([0])].x[0, 0], tones(6)[0], atol=1e-4)
    assert samples.names[1] == "a/3.wav"
    assert as_samples(folder).fingerprint() == samples.fingerprint()
    assert read_alike(folder, describe(samples)).fingerprint() == samples.fingerprint()
    (tmp_path / "labels.csv").write_text("file,label\na/0.wav,x\na/3.wav,y\n")
    with pytest.warns(DataWarning, match="4 of 6 files have no row"):
        assert as_samples(folder, tmp_path / "labels.csv").classes == ("x", "y")
    listed = as_samples([folder / "b" / "1.wav", folder / "a" / "0.wav"], ["p", "q"])
    np.testing.assert_allclose(listed[np.array([1])].x[0, 0], tones(6)[0], atol=1e-4)
    assert as_samples(folder / "a" / "0.wav").shape == (1, 1600)


def test_a_zip_and_every_format(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    x = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000).astype(np.float32) * 0.5
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for ending, kind in (("wav", "WAV"), ("flac", "FLAC"), ("ogg", "OGG"), ("mp3", "MP3")):
            held = io.BytesIO()
            soundfile.write(held, x, 8000, format=kind)
            archive.writestr(f"{ending}/x.{ending}", held.getvalue())
    with pytest.warns(DataWarning, match=r"4 of 4 recordings are cut to the 0\.8 s in their middle"):
        samples = as_samples(tmp_path / "all.zip", kind="sound:seconds=0.8")
    assert samples.classes == ("flac", "mp3", "ogg", "wav")
    peak = np.abs(np.fft.rfft(samples.flat())).argmax(1) / 0.8
    np.testing.assert_allclose(peak, 440, atol=2)


def test_bad_files_are_left_out_and_named(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    folder = folder_of(tmp_path)
    (folder / "a" / "text.wav").write_text("hello")
    soundfile.write(folder / "b" / "empty.wav", np.zeros(0, np.float32), RATE)
    good = (folder / "a" / "0.wav").read_bytes()
    (folder / "c" / "rate.wav").write_bytes(good[:24] + b"\0\0\0\0" + good[28:])  # 0 Hz
    soundfile.write(folder / "c" / "clipped.wav", np.clip(4 * tones(1)[0], -1, 1), RATE)
    soundfile.write(folder / "c" / "silent.wav", np.zeros(1600, np.float32), RATE)
    soundfile.write(folder / "c" / "gap.wav", np.full(1600, np.nan, np.float32), RATE, subtype="FLOAT")
    with pytest.warns(DataWarning) as told:
        samples = as_samples(folder)
    assert len(samples) == 8
    reasons = dict(samples.skipped)
    assert set(reasons) == {"a/text.wav", "b/empty.wav", "c/gap.wav", "c/rate.wav"}
    assert reasons["c/gap.wav"] == "can't be used (it has numbers that are not finite)"
    assert reasons["b/empty.wav"] == "has 0 rows at 4000 Hz"
    lines = [str(one.message) for one in told]
    assert lines[0].startswith(f"4 of 12 sounds in {folder} were left out")
    assert "1 of 8 sounds are clipped: their peaks are cut off; 1 of 8 sounds are silent" in lines[1]
    with pytest.raises(ValueError, match="strict: 4 of 12 sounds"):
        as_samples(folder, strict=True)
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "x.wav").write_text("hello")
    with pytest.raises(ValueError, match="must hold at least one sound that can be decoded; none of 1 can"):
        as_samples(bad)


def test_other_rates_are_brought_to_one(tmp_path, caplog):
    soundfile = pytest.importorskip("soundfile")
    caplog.set_level(logging.INFO, logger="replearn")
    for rate in (8000, 8000, 11_025, 44_100):
        at = np.arange(rate) / rate
        both = np.stack([np.sin(2 * np.pi * 440 * at), np.zeros(rate)], 1)  # two channels
        soundfile.write(tmp_path / f"{rate}-{len(list(tmp_path.iterdir()))}.wav", both, rate)
    samples = as_samples(tmp_path)
    assert "sounds of 1 s at 8,000 Hz" in caplog.text
    assert "2 are resampled; of 4 with several channels the mean is taken" in caplog.text
    x = samples.flat()
    expected = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000) / 2
    np.testing.assert_allclose(x[:, 100:-100], np.tile(expected, (4, 1))[:, 100:-100], atol=2e-3)


def test_resampling_keeps_low_tones_and_removes_high_ones():
    at = np.arange(44_100) / 44_100
    low, high = (np.sin(2 * np.pi * f * at).astype(np.float32) for f in (1000, 12_000))
    expected = np.sin(2 * np.pi * np.arange(16_000) / 16)
    np.testing.assert_allclose(resampled(low, 44_100, 16_000)[200:-200], expected[200:-200], atol=2e-3)
    assert np.abs(resampled(high, 44_100, 16_000)[200:-200]).max() < 2e-3


def test_of_a_long_file_only_what_is_needed_is_read(tmp_path, monkeypatch):
    """Three hours, of which one second in the middle is a tone."""
    soundfile = pytest.importorskip("soundfile")
    rate, hours = 2000, 3
    with soundfile.SoundFile(tmp_path / "long.flac", "w", rate, 1) as file:
        block = np.zeros(rate * 60, np.float32)
        for minute in range(60 * hours):
            block[:] = 0
            if minute == 90:
                block[: rate * 2] = 0.5 * np.sin(2 * np.pi * 100 * np.arange(rate * 2) / rate)
            file.write(block)
    rows = []
    read_rows = soundfile.SoundFile.read

    def counted(self, frames=-1, **given):
        rows.append(frames)
        return read_rows(self, frames, **given)

    monkeypatch.setattr(soundfile.SoundFile, "read", counted)
    with pytest.warns(DataWarning, match=r"cut to the 2 s in their middle \(1.08e\+04 s are left out\)"):
        samples = as_samples(tmp_path, kind="sound:rate=1000,seconds=2")
    assert samples.shape == (1, 2000)
    assert sum(rows) < 2.2 * rate
    assert np.abs(samples.flat()[0, 1100:1900]).max() > 0.45


def test_crops_that_slide_over_a_file_meet(tmp_path):
    """Cut one by one and resampled, they are what the whole would be."""
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "x.wav", 0.3 * np.random.default_rng(0).normal(size=9000).clip(-3, 3), 6000)
    whole = as_samples(tmp_path, kind="sound:rate=4000,seconds=1.5").flat()[0]
    samples, _ = read(tmp_path, kind="sound:rate=4000,seconds=0.25,stride=0.25")
    np.testing.assert_allclose(samples.flat().ravel(), whole, atol=2e-3)
    assert {*samples.groups} == {"x.wav"}


def test_without_the_package_one_line_says_so(tmp_path, monkeypatch):
    import sys

    folder_of(tmp_path)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ValueError, match=r"pip install 'replearn\[audio\]'"):
        as_samples(tmp_path)


def test_notes():
    train, test = load_data("notes", split="train"), load_data("notes", split="test")
    assert not {*train.groups} & {*test.groups}
    x = train.flat()
    assert 0.9 < np.abs(x).max() <= 1
    features = KINDS["sound"].features(train)
    means = np.stack([features[train.labels == label].mean(0) for label in range(11)])
    found = np.square(KINDS["sound"].features(test)[:, None] - means).sum(2).argmin(1)
    assert (found == test.labels).mean() > 0.2  # chance 0.15


# Spectrograms


def test_filters_are_triangles_that_meet():
    for rate in (4000, 8000, 16_000, 44_100):
        mel = mel_of(rate)
        weights = filters(mel)
        assert weights.shape == (mel.bands, mel.size // 2 + 1)
        assert weights.sum(1).min() > 0.5  # none is empty
        inside = weights.sum(0)[(weights[0].argmax() + 1) : weights[-1].argmax()]
        torch.testing.assert_close(inside, torch.ones_like(inside))


def test_spectrograms_are_those_of_librosa():
    librosa = pytest.importorskip("librosa")
    mel, x = mel_of(8000), torch.randn(2, 4000, generator=torch.Generator().manual_seed(0))
    power = librosa.feature.melspectrogram(
        y=x.numpy(), sr=8000, n_fft=mel.size, hop_length=mel.hop, win_length=mel.window, n_mels=mel.bands, htk=True,
        norm=None, pad_mode="constant",
    )  # fmt: skip
    level = np.stack([librosa.power_to_db(one, ref=np.max, top_db=FLOOR) for one in power])
    np.testing.assert_allclose(log_mel(x, mel), level, atol=1e-2)


# Views


def run(view, batch, seed=0):
    torch.manual_seed(seed)
    seen = view(batch)
    return (seen,) if isinstance(seen, Batch) else seen


@pytest.mark.parametrize("view", MADE, ids=repr)
def test_views_promise_what_all_views_do(view, beeps):
    batch = beeps[np.arange(10)]
    before = batch.x.clone()
    whole, again, other = run(view, batch)[0].x, run(view, batch)[0].x, run(view, batch, 1)[0].x
    assert torch.equal(whole, again)
    assert not torch.equal(whole, other)
    assert whole.shape == batch.x.shape
    assert torch.equal(batch.x, before)
    if not isinstance(view, MixIn):
        equal = run(view, batch.with_x(batch.x[:1].expand_as(batch.x).contiguous()))[0].x
        assert not (equal == equal[:1]).all()
        for start, stop in ((0, 3), (3, 10)):
            torch.testing.assert_close(
                run(view, batch.rows(start, stop))[0].x, whole[start:stop], atol=1e-5, rtol=1e-4
            )
    assert run(view, batch.to("meta"))[0].x.shape == batch.x.shape
    fitted = view.fitted(beeps)
    assert view_from_json(view_to_json(fitted)) == fitted
    assert run(view, batch.with_x(torch.zeros_like(batch.x)))[0].x.isfinite().all()
    with pytest.raises(ValueError, match=r"is a view of series and sounds, \(n, c, t\); got \(3, 4\)"):
        view(Batch(torch.zeros(3, 4), torch.zeros(3, dtype=torch.long), torch.arange(3)))


def peak(x):
    """The loudest frequency of each sound, in Hz."""
    return torch.fft.rfft(x[:, 0]).abs().argmax(1) * RATE / x.shape[2]


def test_what_views_do(beeps):
    batch = beeps[np.arange(30)]
    ratio = peak(run(Speed(1.5), batch)[0].x) / peak(batch.x)
    assert 0.66 < ratio.min() < 0.8
    assert 1.2 < ratio.max() < 1.51
    noise = run(Hiss(10.0, 10.0), batch)[0].x - batch.x
    under = 20 * (batch.x.square().mean(2).sqrt() / noise.square().mean(2).sqrt()).log10()
    torch.testing.assert_close(under, torch.full_like(under, 10.0), atol=0.01, rtol=0)
    silent = (
        torch.fft.rfft(run(BandMask(0.5, RATE), batch.with_x(torch.randn_like(batch.x)))[0].x).abs() < 1e-3
    )
    edges = silent.float().diff(dim=2).abs().sum(2)
    assert edges.max() <= 2  # one band
    assert silent.float().mean() > 0.05
    circle = run(TimeCrop(0.5, 0.5, stretched=False), batch)[0].x
    torch.testing.assert_close(peak(circle), peak(batch.x), atol=20, rtol=0)
    assert Reverb().fitted(beeps).rate == RATE


@pytest.mark.parametrize("kind", SoundViews.splits)
def test_every_split(kind, beeps):
    made = named_views("sound", beeps, kind).fitted(beeps)
    assert isinstance(made, Split)
    batch = beeps[np.arange(10)]
    assert all(len(seen) == 10 and seen.x.isfinite().all() for seen in made(batch))
    assert view_from_json(view_to_json(made)) == made
    if isinstance(made, Parts):
        shapes = [part.shape for part in made.describe(describe(beeps))]
        assert shapes == [tuple(part.x.shape[1:]) for part in made.parts(batch)]


# Encoders, methods, commands


@pytest.mark.parametrize("name", ["auto", "cnn", "vit", "wave", "mlp", "linear"])
def test_encoders(name, beeps):
    torch.manual_seed(0)
    encoder, batch = make_encoder(name, beeps).eval(), beeps[np.arange(10)]
    with torch.no_grad():
        h = encoder(batch)
        assert h.shape == (10, encoder.dim)
        torch.testing.assert_close(encoder.layers(batch)[-1], h)
        torch.testing.assert_close(encoder.tokens(batch).mean(1), h)
        if name in ("cnn", "vit", "wave"):
            assert encoder(batch.with_x(batch.x[:, :, :900])).shape == h.shape
        if name in ("cnn", "vit"):  # loudness is no cue, but pitch is
            torch.testing.assert_close(encoder(batch.with_x(batch.x / 5)), h, rtol=1e-3, atol=2e-2)


def test_the_front_end_is_made_for_the_rate(beeps):
    low, high = make_encoder("cnn", beeps), make_encoder("cnn", load_data("notes"))
    assert (low.body.front.mel.rate, high.body.front.mel.rate) == (4000, 8000)


def test_patches_are_those_of_the_spectrogram(beeps):
    encoder, batch = make_encoder("vit", beeps), beeps[np.arange(4)]
    spectrogram = encoder.body.front(encoder.standardise(batch))
    assert encoder.patches(batch).shape[1] == np.prod(encoder.grid(batch))
    whole = encoder.body.assemble(encoder.patches(batch), encoder.standardise(batch))
    torch.testing.assert_close(whole.flatten(), spectrogram.flatten())


@pytest.mark.parametrize(
    "name", one_of_each(SERVED, fast=("simclr", "mae", "cpc", "autoencoder", "supervised"))
)
def test_every_method_whose_needs_are_met_learns_from_sounds(beeps, name, tmp_path):
    entry = registry()[name]
    samples = labelled_for(entry.cls, beeps)
    given = {"encoder": "auto", "batch_size": 16, "epochs": 1}
    if "patches" in getattr(entry.cls, "needs", ()):
        given["encoder"] = "vit"
    method = quick(entry.cls, **{key: value for key, value in given.items() if hasattr(entry.cls, key)})
    if not isinstance(method, Model):
        assert method.fit_transform(np.abs(samples.flat())).shape[0] == len(samples)
        return
    found = method.fit(samples, run=tmp_path / "run").transform(samples)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(replearn.load(tmp_path / "run").transform(samples), found)


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


def test_slices_have_the_gradient_of_the_whole(beeps):
    views = default_views(beeps).view
    apart = [view for view in views.views if not isinstance(view, MixIn)]
    views = replearn.views.Pair(replearn.views.Chain(*apart).fitted(beeps))
    given = {
        "batch_size": 32,
        "epochs": 1,
        "optimizer": "sgd",
        "device": "cpu",
        "encoder": "vit",
        "views": views,
    }
    one = replearn.SimCLR(**given).fit(beeps).transform(beeps)
    other = replearn.SimCLR(**given, slice_size=7).fit(beeps).transform(beeps)
    np.testing.assert_allclose(one, other, rtol=2e-3, atol=1e-4)


def test_sounds_are_drawn(beeps):
    looks = LOOKS["sound"]
    drawn = looks.draw(beeps[np.arange(6)].x, 48)
    assert drawn.shape == (6, 48, 48, 1)
    rows = drawn[:, :, :, 0].mean(2).argmax(1)
    assert (rows[[0, 3]] > rows[[1, 4]]).all()  # higher tones lie higher
    assert (rows[[1, 4]] > rows[[2, 5]]).all()
    assert looks.draw(torch.randn(2, 1, 40, 13), 16).shape == (2, 16, 16, 1)
    assert looks.draw(torch.zeros(1, 1, 900), 16).shape == (1, 16, 16, 1)


@pytest.mark.all
def test_all_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    folder_of(data, 60)

    def told(*words):
        assert main([*map(str, words)]) in (0, None), capsys.readouterr().err
        return capsys.readouterr().out

    told("fit", "simclr", data, "--run", "r", "--epochs", 1, "--batch-size", 16)
    told("embed", "r", data, "--out", "rows.npy")
    assert len(np.load("rows.npy")) == 60
    assert "hand-made" in told("evaluate", "r", data)
    assert "hand-made" in told(
        "compare", "pca", "mae", "--data", data, "--seeds", 1, "--epochs", 1, "--run", "c"
    )
    told("finetune", "r", data, "--to", "f", "--epochs", 1)
    told("report", "c")
    assert "data:image/png;base64" in Path("c/report.html").read_text()
