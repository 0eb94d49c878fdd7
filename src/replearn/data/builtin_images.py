"""Built-in images: digits, emoji and their names, drawn shapes."""

import json
from importlib.resources import files
from typing import Any

import numpy as np

from replearn.data.pairs import PairSamples
from replearn.data.samples import ArraySamples, Samples
from replearn.data.shapes import shapes
from replearn.data.splits import stratified_test
from replearn.data.text import text_samples

FOLDER = files("replearn.data") / "builtin"


def digits() -> tuple[Samples, np.ndarray]:
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


def emoji() -> tuple[Samples, np.ndarray]:
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


def emoji_names() -> tuple[Samples, np.ndarray]:
    """Pictures and what they are called; the parts are those of `emoji`, so test names are of no training picture."""
    images, test = emoji()
    assert images.names is not None
    members = {"image": images, "text": text_samples([name.lower() for name in images.names])}
    return PairSamples(members, images.labels, classes=images.classes, names=images.names), test


def digits8x8() -> tuple[Samples, np.ndarray]:
    from sklearn.datasets import load_digits

    found = load_digits()
    images = (found.images[:, None] / 16).astype(np.float32)  # (n, 1, 8, 8); grey levels 0 ... 16
    samples = ArraySamples(
        images, found.target.astype(np.int64), classes=[str(name) for name in found.target_names]
    )
    return samples, stratified_test(found.target, test=0.2, random_state=0)


def drawn_shapes() -> tuple[Samples, np.ndarray]:
    samples = shapes(size=28, scales=4, rotations=15, positions=10)  # 15: no two pictures are the same
    assert samples.labels is not None
    return samples, stratified_test(samples.labels, test=1 / 6, random_state=0)
