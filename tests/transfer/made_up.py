"""Made-up texts whose answers depend on one word each."""

import re

import numpy as np

from replearn.transfer import FineTune

FILLING = ("red", "blue", "tree", "house", "run", "walk", "sky", "cat")
TELLING = re.compile("good|bad")
TINY = {"encoder": "bert_tiny", "device": "cpu", "precision": "32-true", "length": 16, "batch_size": 16}


def model(**fields) -> FineTune:
    """A small network with random weights, which must learn fast."""
    return FineTune(**({"encoder_rate": 1.0, "epochs": 4} | TINY | fields))


def frozen(**fields) -> FineTune:
    """The same, of which the head alone learns."""
    return FineTune(**({"trained": "frozen", "epochs": 15, "learning_rate": 5e-3} | TINY | fields))


def texts(n: int, *, seed: int = 0) -> tuple[list[str], list[str]]:
    """Texts in which one word is good or bad, and which it is."""
    draw = np.random.default_rng(seed)
    found = []
    for i in range(n):
        words = [FILLING[j] for j in draw.integers(0, len(FILLING), 6)]
        words[draw.integers(6)] = ("bad", "good")[i % 2]
        found.append(" ".join(words))
    return found, ["neg", "pos"] * (n // 2)


def tags(n: int, *, seed: int = 0) -> tuple[list[list[str]], list[list[str]]]:
    """The words of such texts, and a tag for each."""
    words = [text.split() for text in texts(n, seed=seed)[0]]
    kinds = {"good": "B-praise", "bad": "B-blame"}
    return words, [[kinds.get(word, "O") for word in sentence] for sentence in words]


def spans(n: int, *, seed: int = 0) -> tuple[list[str], list[list[tuple[int, int, str]]]]:
    """Such texts, every third without its word, and where this stands."""
    found = [
        TELLING.sub("mid", text) if i % 3 == 0 else text for i, text in enumerate(texts(n, seed=seed)[0])
    ]
    labels = {"good": "praise", "bad": "blame"}
    return found, [[(m.start(), m.end(), labels[m[0]]) for m in TELLING.finditer(text)] for text in found]


def pairs(n: int, *, seed: int = 0) -> tuple[list[tuple[str, str]], list[int]]:
    """Pairs of such texts, and whether the second is good."""
    a, b = texts(n, seed=seed), texts(n, seed=seed + 1)
    order = np.random.default_rng(seed).permutation(n)
    second = [b[0][i] for i in order]
    return list(zip(a[0], second, strict=True)), [int(b[1][i] == "pos") for i in order]
