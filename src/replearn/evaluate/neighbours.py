"""Are near neighbours of one class? The kNN probe, and neighbours to look at."""

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.evaluate.checks import (
    Array,
    check_features,
    check_same_columns,
    check_split,
    class_numbers,
)

CHUNK = 2**22  # similarities held at once: 16 MB, whatever the sizes of the two sets
ROUNDING = 1e-12  # votes that differ by less are equal
METRICS = ("cosine", "euclidean")


def knn_probe(
    train: Array,
    train_labels: Array,
    test: Array,
    test_labels: Array,
    *,
    neighbours: int = 5,
    temperature: float | None = 0.1,
) -> float:
    r"""Accuracy of a vote among the `neighbours` training samples of highest cosine similarity.

    The vote is weighted as in InstDisc, the habit of the field since: class $c$ gets

    $$v_c = \sum_{i \in N_k(x)} \exp(s_i / \tau)\, [y_i = c], \qquad s_i = \cos(x, x_i)$$

    and ties are shared, so that neither the names of classes nor the order of rows decides: of n training samples
    equally far for m places left, each has m/n of a vote; where n classes tie for the most votes, a sample of one of
    them counts 1/n. Rows labelled -1 are dropped; a test label that the training
    set does not hold counts as an error. Nothing is centred or scaled except to unit length.

    Args:
        train, test: rows (n, d) and (m, d).
        train_labels, test_labels: classes (n,) and (m,), -1 for unlabelled.
        neighbours: k; all training samples where there are fewer. With thousands of samples few are best, of any
            representation; 20 and 200 are the habit for larger sets.
        temperature: τ of the weights; None counts heads.

    Returns:
        The share of labelled test samples that the vote gets right.

    Raises:
        ValueError: for features that are not finite tables of the same columns, or labels of another length.

    Reference: Wu et al., CVPR 2018, section 3.4 (k = 200, τ = 0.07). https://arxiv.org/abs/1805.01978

    >>> rows = np.array([[1.0, 0.1], [1.0, 0.0], [0.0, 1.0], [0.1, 1.0]])
    >>> knn_probe(rows, np.array([0, 0, 1, 1]), rows, np.array([0, 0, 1, 0]), neighbours=2)
    0.75
    """
    if temperature is not None and not temperature > 0:
        raise ValueError(f"temperature must be positive; got {temperature}. Use None to count heads.")
    if neighbours < 1:
        raise ValueError(f"neighbours must be at least 1; got {neighbours}. 5 is usual.")
    train, train_labels, test, test_labels = check_split(train, train_labels, test, test_labels)
    classes = np.unique(train_labels)
    numbers, wanted = class_numbers(train_labels, classes), class_numbers(test_labels, classes)
    k = min(neighbours, len(train))
    index, similarities = nearest(test, train, k=min(k + 1, len(train)))
    tally = _tally(numbers[index[:, :k]], similarities[:, :k], temperature, len(classes))
    if len(train) > k:
        tied = np.flatnonzero(similarities[:, k] == similarities[:, k - 1])
        step = max(1, CHUNK // len(train))
        for rows in (tied[start : start + step] for start in range(0, len(tied), step)):
            tally[rows] = _tally_shared(test[rows], train, numbers, k, temperature, len(classes))
    best = tally >= tally.max(axis=1, keepdims=True) * (1 - ROUNDING)
    right = best[np.arange(len(test)), wanted] & (wanted >= 0)
    return float((right / best.sum(axis=1)).mean())


def _tally(
    votes: npt.NDArray[np.int64],
    similarities: npt.NDArray[np.float64],
    temperature: float | None,
    classes: int,
    shares: npt.NDArray[np.float64] | float = 1.0,
) -> npt.NDArray[np.float64]:
    """The votes (m, classes) of the classes (m, k) of neighbours."""
    weights = np.ones_like(similarities)
    if temperature is not None:  # the best neighbour's weight is 1, so that exp cannot overflow
        weights = np.exp((similarities - similarities.max(axis=1, keepdims=True)) / temperature)
    tally = np.zeros((len(votes), classes))
    np.add.at(tally, (np.arange(len(votes))[:, None], votes), weights * shares)
    return tally


def _tally_shared(
    test: Array, train: Array, numbers: npt.NDArray[np.int64], k: int, temperature: float | None, classes: int
) -> npt.NDArray[np.float64]:
    """The votes where several training samples are equally far and not all are among the k: they share the places."""
    similarities = (_prepared(test, "cosine") @ _prepared(train, "cosine").T).double().numpy()
    last = np.partition(similarities, -k, axis=1)[:, -k, None]
    nearer, equal = similarities > last, similarities == last
    left = k - nearer.sum(axis=1, keepdims=True)
    shares = np.where(nearer, 1.0, np.where(equal, left / equal.sum(axis=1, keepdims=True), 0.0))
    votes = np.broadcast_to(numbers, similarities.shape)
    return _tally(votes, similarities, temperature, classes, shares)


def nearest(
    queries: Array, bank: Array, *, k: int, metric: str = "cosine"
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The k rows of `bank` nearest to each query, in bounded memory.

    Args:
        queries: rows (m, d).
        bank: rows (n, d). A query that is itself in the bank finds itself first.
        k: how many neighbours, 1 to n.
        metric: "cosine", or "euclidean", where a similarity is minus the distance.

    Returns:
        Indices into the bank and similarities, both (m, k), best first.

    Raises:
        ValueError: for an unknown metric, a k out of range, or tables not finite or of other columns.

    >>> index, similarity = nearest(np.array([[2.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]]), k=1)
    >>> int(index[0, 0]), float(similarity[0, 0])
    (1, 1.0)
    """
    queries, bank = check_features(queries, "queries"), check_features(bank, "bank")
    check_same_columns(queries, bank, ("queries", "bank"))
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}; got {metric!r}.")
    if not 1 <= k <= len(bank):
        raise ValueError(
            f"k must lie between 1 and the {len(bank)} rows of the bank; got {k}. Ask for fewer."
        )
    rows, keys = _prepared(queries, metric), _prepared(bank, metric)
    slices = [
        _nearest_slice(part, keys, k, metric)
        for part in torch.split(rows, max(1, CHUNK // max(len(keys), keys.shape[1])))
    ]
    index = torch.cat([part[0] for part in slices])
    similarity = torch.cat([part[1] for part in slices])
    return index.numpy(), similarity.double().numpy()


def _prepared(rows: Array, metric: str) -> Float[Tensor, "n d"]:
    table = torch.from_numpy(np.ascontiguousarray(rows))
    return torch.nn.functional.normalize(table, dim=1) if metric == "cosine" else table.double()


def _nearest_slice(
    queries: Float[Tensor, "m d"], keys: Float[Tensor, "n d"], k: int, metric: str
) -> tuple[Int[Tensor, "m k"], Float[Tensor, "m k"]]:
    """Neighbours of some queries, the bank taken in slices too, so that a huge bank fits."""
    best = queries.new_empty(len(queries), 0)
    place = torch.empty(len(queries), 0, dtype=torch.int64)
    step = max(k, CHUNK // len(queries))
    for start in range(0, len(keys), step):
        part = keys[start : start + step]
        similarity = queries @ part.T if metric == "cosine" else -torch.cdist(queries, part)  # (m, n')
        top = similarity.topk(min(k, len(part)), dim=1)
        best, place = torch.cat([best, top.values], 1), torch.cat([place, top.indices + start], 1)
        keep = best.topk(min(k, best.shape[1]), dim=1)
        best, place = keep.values, place.gather(1, keep.indices)
    return place, best
