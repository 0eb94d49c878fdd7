"""Does the test part hold what training knows already? Neighbours across the split that are nearly one sample."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from replearn.evaluate.checks import Array, check_features, check_same_columns
from replearn.evaluate.neighbours import nearest

SHARE = 0.1  # of the distance at which neighbours usually lie
USUAL = 5  # the neighbour whose distance is usual: copies of a sample are few
OVERLAP = 0.8  # of the runs of three words that two texts have together
FEWEST = 4  # columns; among fewer, continuous numbers are near by chance
WIDEST = 64  # columns in which neighbours are looked for
PAIRS = 2**30  # most pairs of rows that are compared; of a larger test part, a sample of its rows
RUN = 3  # words


@dataclass(frozen=True, eq=False)
class NearCopies:
    """Test samples that nearly equal a training sample.

    Attributes:
        test, train: positions of each such test sample and of its nearest training sample, (k,); nearest pair first.
        compared: how many test samples were compared.
        rule: when two samples count as near copies, in words.
    """

    test: npt.NDArray[np.int64]
    train: npt.NDArray[np.int64]
    compared: int
    rule: str


def near_copies(train: Array, test: Array, *, share: float = SHARE, random_state: int = 0) -> NearCopies:
    """Test rows at most `share` as far from a training row as neighbours usually are.

    Usual is the median distance to the fifth nearest training row. By chance a row of d continuous columns is as near
    in about share^d of all cases; so of fewer than 4 columns only equal rows count. Neighbours are looked for in random
    projections on 64 columns, in bounded memory, and then measured in all columns. A shifted or cropped image is far
    away as numbers, and not found.

    Args:
        train, test: raw rows (n, d) and (m, d) in one unit, pixels say; not representations, which learn likeness.
        share: of the usual distance.
        random_state: seed of projections, and of the sample of test rows where there are more than 2^30 pairs.

    Raises:
        ValueError: rows that are not finite tables of the same columns.

    >>> rows = np.random.default_rng(0).normal(size=(60, 8))
    >>> near_copies(rows[:50], np.concatenate([rows[50:], rows[7:8] + 1e-3])).train.tolist()
    [7]
    """
    train, test = check_features(train, "train"), check_features(test, "test")
    check_same_columns(train, test)
    rng = np.random.default_rng(random_state)
    asked = _asked(len(train), len(test), rng)
    rows, bank, queries = len(train), train, test[asked]
    if train.shape[1] > WIDEST:
        turn = rng.normal(size=(train.shape[1], WIDEST)).astype(train.dtype)
        bank, queries = train @ turn, queries @ turn
    index, similarity = nearest(queries, bank, k=min(USUAL, rows), metric="euclidean")
    usual = float(np.median(-similarity[:, -1]))
    if train.shape[1] < FEWEST:
        share, rule = 0.0, "equal in all columns"
    else:
        rule = f"at most {share:g} of the distance at which neighbours usually lie"
    found = np.flatnonzero(-similarity[:, 0] <= 2 * share * usual)  # projections err by less than that
    exact = np.linalg.norm(test[asked[found]].astype(np.float64) - train[index[found, 0]], axis=1)
    some = rng.permutation(len(asked))[:256]
    usual = float(
        np.median(np.linalg.norm(test[asked[some]].astype(np.float64) - train[index[some, -1]], axis=1))
    )
    near = exact <= share * usual
    order = found[near][np.argsort(exact[near], kind="stable")]
    return NearCopies(asked[order], index[order, 0], len(asked), rule)


def near_within(rows: Array, *, share: float = SHARE, random_state: int = 0) -> npt.NDArray[np.int64]:
    """Pairs of rows of one set that are nearly equal, (k, 2), the later one first; by the rule of `near_copies`.

    Of each row its nearest other is looked at, so that a row with two near copies is told of one of them. Rows must be
    unlike each other: of equal ones, give one.

    Args:
        rows: raw rows (n, d), not representations.
        share: of the distance at which neighbours usually lie.
        random_state: seed of the projections.

    >>> rows = np.random.default_rng(0).normal(size=(60, 8))
    >>> near_within(np.concatenate([rows, rows[7:8] + 1e-3])).tolist()
    [[60, 7]]
    """
    rows = check_features(rows)
    if len(rows) < 3 or rows.shape[1] < FEWEST:
        return np.empty((0, 2), dtype=np.int64)
    rng, shown = np.random.default_rng(random_state), rows
    if rows.shape[1] > WIDEST:
        shown = rows @ rng.normal(size=(rows.shape[1], WIDEST)).astype(rows.dtype)
    index, similarity = nearest(shown, shown, k=min(USUAL + 1, len(rows)), metric="euclidean")
    own = np.arange(len(rows))
    other = np.where(index[:, 0] == own, index[:, 1], index[:, 0])  # of equal projections the order is chance
    rough = np.where(index[:, 0] == own, -similarity[:, 1], -similarity[:, 0])
    found = np.flatnonzero(rough <= 2 * share * float(np.median(-similarity[:, -1])))
    some = rng.permutation(len(rows))[:256]
    usual = float(np.median(np.linalg.norm(rows[some].astype(np.float64) - rows[index[some, -1]], axis=1)))
    exact = np.linalg.norm(rows[found].astype(np.float64) - rows[other[found]], axis=1)
    pairs = np.stack([found, other[found]], axis=1)[exact <= share * usual]  # (k, 2)
    return np.unique(np.sort(pairs, axis=1)[:, ::-1], axis=0)


def near_texts_within(texts: Sequence[str], *, overlap: float = OVERLAP) -> npt.NDArray[np.int64]:
    """Pairs of texts of one set that share most of their wording, (k, 2), the later one first; as `near_texts`.

    Args:
        texts: unlike each other.
        overlap: least share, of the runs of three words that either has, of those that both have.

    >>> near_texts_within(["The cat sat on the mat.", "Dogs bark.", "the cat sat on  the MAT"]).tolist()
    [[2, 0]]
    """
    runs = _runs(texts)
    sizes = np.diff(runs.indptr)
    pairs = []
    for start in range(0, len(texts), 256):
        both = (runs[start : start + 256] @ runs.T).tocoo()
        rows, columns = both.row + start, both.col
        index = both.data / (sizes[rows] + sizes[columns] - both.data)
        near = (columns < rows) & (index >= overlap)
        pairs.append(np.stack([rows[near], columns[near]], axis=1))
    found = np.concatenate(pairs) if pairs else np.empty((0, 2))
    return np.unique(found, axis=0).astype(np.int64)


def near_texts(
    train: Sequence[str], test: Sequence[str], *, overlap: float = OVERLAP, random_state: int = 0
) -> NearCopies:
    """Test texts that share most of their wording with a training text: Jaccard's index of their runs of three words.

    Case, punctuation, accents' encoding and white space do not count. A text of under three words is one run.

    Args:
        train, test: texts.
        overlap: least share, of the runs that either has, of those that both have.
        random_state: seed of the sample of test texts where there are more than 2^30 pairs.

    >>> near_texts(["The cat sat on the mat.", "Dogs bark."], ["the cat sat on  the MAT", "Birds sing."]).train.tolist()
    [0]
    """
    asked = _asked(len(train), len(test), np.random.default_rng(random_state))
    bank, queries = _runs(train), _runs([test[i] for i in asked.tolist()])
    sizes = np.diff(bank.indptr)
    places, shares = np.zeros(len(asked), dtype=np.int64), np.zeros(len(asked))
    for start in range(0, len(asked), 256):
        both = (queries[start : start + 256] @ bank.T).tocsr()
        for row in range(both.shape[0]):
            part = slice(both.indptr[row], both.indptr[row + 1])
            if part.start == part.stop:
                continue
            at, common = both.indices[part], both.data[part]
            own = queries.indptr[start + row + 1] - queries.indptr[start + row]
            index = common / (own + sizes[at] - common)
            places[start + row], shares[start + row] = at[index.argmax()], index.max()
    found = np.flatnonzero(shares >= overlap)
    order = found[np.argsort(-shares[found], kind="stable")]
    rule = f"at least {overlap:g} of their runs of three words in common"
    return NearCopies(asked[order], places[order], len(asked), rule)


def _asked(rows: int, tests: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    most = max(1, PAIRS // max(rows, 1))
    return np.sort(rng.permutation(tests)[:most]).astype(np.int64)


def _runs(texts: Sequence[str]):  # type: ignore[no-untyped-def]  # a sparse matrix
    """Which runs of words each text holds, (n, hashes) of ones."""
    from sklearn.feature_extraction.text import HashingVectorizer

    made = HashingVectorizer(
        analyzer=_run_words, binary=True, norm=None, alternate_sign=False, n_features=2**20
    )
    return made.transform(list(texts))


def _run_words(text: str) -> list[str]:
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()) or [text]
    return [" ".join(words[i : i + RUN]) for i in range(max(1, len(words) - RUN + 1))]
