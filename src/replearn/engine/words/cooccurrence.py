"""How often words occur near each other, counted in bounded memory: GloVe's input.

    tokens --window, nearer counts more--> table in memory --full: sorted, to disk--> runs --merged, shuffled--> pairs

Each unordered pair of words is kept once. References: Pennington et al., EMNLP 2014, section 4.2.
https://aclanthology.org/D14-1162
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Int
from rich.progress import track

from replearn.engine.compiled import compiled
from replearn.engine.words.corpus import LONELY, portions

SLOTS = 2**24  # of the table in memory: 200 MB
FULL = 0.6  # share of slots from which on it goes to disk
PORTION = 2**18  # tokens between two looks at that
PARTS = 2**22  # pairs in a part of the shuffled whole, about
LOUD = 20  # portions from which on progress is shown
_MIX = np.uint64(0x9E3779B97F4A7C15)
Pair = np.dtype([("first", "<i4"), ("second", "<i4"), ("count", "<f4")])


def count_pairs(
    ids: Int[np.ndarray, " t"],
    spans: Int[np.ndarray, "s 2"],
    known: Int[np.ndarray, " n"],
    window: int,
    folder: Path,
    *,
    random_state: int,
    slots: int = SLOTS,
) -> list[Path]:
    """Weighted counts of all pairs of words that are at most `window` words apart, each `1 / distance`.

    Args:
        ids: tokens.
        spans: begin and end of stretches of text; windows do not reach beyond.
        known: counts of tokens; those of 0 are no words, and are left out before distances are taken.
        window: words on each side.
        folder: for files.
        random_state: seed of the shuffling.
        slots: of the table in memory, a power of 2.

    Returns:
        Files of `Pair`, among which pairs are shuffled; each fits into memory.

    Raises:
        ValueError: no word has a neighbour.
    """
    keys, counts = np.full(slots, -1, np.int64), np.zeros(slots, np.float64)
    parts = portions(spans, min(PORTION, max(1, slots // (8 * window))))
    words = known > 0
    used, runs = 0, list[Path]()
    for part in track(parts, "pairs of words", transient=True, disable=len(parts) < LOUD):
        # A portion may add `window` pairs per token, and the table must not fill up.
        added = int((part[:, 1] - part[:, 0]).sum()) * window
        if used and used + added > FULL * slots:
            runs.append(_write_run(keys, counts, folder / f"run-{len(runs)}"))
            used = 0
        used = _add_pairs(ids, np.ascontiguousarray(part), words, np.int64(window), keys, counts, used)
    runs.append(_write_run(keys, counts, folder / f"run-{len(runs)}"))
    if not any(run.stat().st_size for run in runs):
        raise ValueError(LONELY)
    return _shuffled(runs, len(known), folder, np.random.default_rng(random_state))


@compiled
def _add_pairs(
    ids: np.ndarray,
    spans: np.ndarray,
    words: np.ndarray,
    window: int,
    keys: np.ndarray,
    counts: np.ndarray,
    used: int,
) -> int:
    """Add what some spans hold to a hash table with open addresses; how many of its slots are used."""
    size, shift = len(words), np.uint64(64 - np.int64(np.log2(len(keys)) + 0.5))
    last = np.empty(window, np.int64)  # the words before, in a ring
    for s in range(len(spans)):
        seen = 0
        for i in range(spans[s, 0], spans[s, 1]):
            word = np.int64(ids[i])
            if not words[word]:
                continue
            for distance in range(1, min(seen, window) + 1):
                other = last[(seen - distance) % window]
                key = min(word, other) * size + max(word, other)
                slot = np.int64((np.uint64(key) * _MIX) >> shift)
                while keys[slot] != key and keys[slot] != -1:
                    slot = (slot + 1) & (len(keys) - 1)
                if keys[slot] == -1:
                    keys[slot] = key
                    used += 1
                counts[slot] += 1 / distance
            last[seen % window] = word
            seen += 1
    return used


def _write_run(keys: np.ndarray, counts: np.ndarray, path: Path) -> Path:
    """Write the table, sorted, and empty it."""
    full = np.flatnonzero(keys >= 0)
    order = full[np.argsort(keys[full])]
    run = np.empty(len(order), dtype=[("key", "<i8"), ("count", "<f8")])
    run["key"], run["count"] = keys[order], counts[order]
    run.tofile(path)
    keys[:], counts[:] = -1, 0
    return path


def _shuffled(runs: list[Path], size: int, folder: Path, random: np.random.Generator) -> list[Path]:
    """Merge the runs, and deal the pairs out at random into files that fit into memory."""
    sizes = [path.stat().st_size // 16 for path in runs]
    files = [folder / f"pairs-{i}" for i in range(max(1, -(-sum(sizes) // PARTS)))]
    for merged in _merged(runs, sizes):
        pairs = np.empty(len(merged), dtype=Pair)
        pairs["first"], pairs["second"] = np.divmod(merged["key"], size)
        pairs["count"] = merged["count"]
        place = random.integers(len(files), size=len(pairs))
        for i, file in enumerate(files):
            with file.open("ab") as out:
                pairs[place == i].tofile(out)
    for path in runs:
        path.unlink()
    return files


def _merged(runs: list[Path], sizes: list[int]) -> Iterator[np.ndarray]:
    """All keys in order, each once, with the sum of its counts; some at a time."""
    kind = np.dtype([("key", "<i8"), ("count", "<f8")])
    read = [np.memmap(path, kind, "r") for path, size in zip(runs, sizes, strict=True) if size]
    # Bounds from evenly spread keys of every run, so that about PARTS pairs lie between two of them.
    step = max(1, PARTS // len(read))
    bounds = np.unique(np.concatenate([run["key"][step::step] for run in read]))
    cuts = [np.concatenate([[0], np.searchsorted(run["key"], bounds), [len(run)]]) for run in read]
    for i in range(len(bounds) + 1):
        part = np.concatenate([run[cut[i] : cut[i + 1]] for run, cut in zip(read, cuts, strict=True)])
        keys, inverse = np.unique(part["key"], return_inverse=True)
        found = np.empty(len(keys), dtype=kind)
        found["key"] = keys
        found["count"] = np.bincount(inverse, part["count"], len(keys))
        yield found
