"""Built-in sets of what goes on in time: motions, a pendulum, clips of things that move, notes."""

from importlib.resources import files

import numpy as np

from replearn.data.builtin_images import digits
from replearn.data.pendulum import pendulum
from replearn.data.samples import Samples
from replearn.data.series import SeriesSamples
from replearn.data.sound import SoundSamples, sixteen_bits
from replearn.data.videos import bouncing, moving_digits

FOLDER = files("replearn.data") / "builtin"


def motions() -> tuple[Samples, np.ndarray]:
    with (FOLDER / "motions.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        series = np.concatenate([arrays["train_series"], arrays["test_series"]])
        labels = np.concatenate([arrays["train_labels"], arrays["test_labels"]])
        classes, train = arrays["class_names"].tolist(), len(arrays["train_labels"])
    axes = [f"{sensor}_{axis}" for sensor in ("acceleration", "rotation") for axis in "xyz"]
    samples = SeriesSamples(series, labels.astype(np.int64), classes=classes, channels=axes)
    return samples, np.arange(train, len(series))


def pendulum_states() -> tuple[Samples, np.ndarray]:
    return _last_fifth(pendulum().states())


def pendulum_frames() -> tuple[Samples, np.ndarray]:
    return _last_fifth(pendulum().frames())


def bouncing_clips() -> tuple[Samples, np.ndarray]:
    return _last_fifth(bouncing().samples())


def bouncing_ideal() -> tuple[Samples, np.ndarray]:
    return _last_fifth(bouncing(loss=False).samples())


def moving_digit_clips() -> tuple[Samples, np.ndarray]:
    pictures, _ = digits()
    chosen = np.r_[0:1000, 8000:8250]  # test clips are of test digits
    batch = pictures[chosen]
    return _last_fifth(moving_digits(batch.x.numpy()[:, 0], batch.labels.numpy()).samples())


def notes() -> tuple[Samples, np.ndarray]:
    with (FOLDER / "notes.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        loud = arrays["waveform"].astype(np.float64) / 127  # mu-law
        sounds = np.sign(loud) * (256 ** np.abs(loud) - 1) / 255
        labels, instrument = arrays["label"].astype(np.int64), arrays["instrument"]
        classes, instruments = arrays["label_names"].tolist(), arrays["instrument_names"]
        names, rate = arrays["name"].tolist(), int(arrays["sample_rate"])
    samples = SoundSamples(sixteen_bits(sounds), labels, rate=rate, classes=classes, names=names)
    samples.groups = instruments[instrument]
    kept = [
        number for family in range(len(classes)) for number in np.unique(instrument[labels == family])[1::5]
    ]
    return samples, np.flatnonzero(np.isin(instrument, kept))


def _last_fifth(samples: Samples) -> tuple[Samples, np.ndarray]:
    return samples, np.arange(len(samples) * 4 // 5, len(samples))  # of the pendulum, 30 of 150
