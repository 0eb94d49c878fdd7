"""A space from which to see whether a sample could be real: few directions, trained on raw samples and their labels.

Distances of pixels say little: the mean of two images is nearer to other images than a real one is, since blur is near
to everything. Where classes have been told apart by curved boundaries, it lies between the classes, where no sample is.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from replearn.evaluate.checks import Array, check_features, check_labels, check_same_columns, is_labelled
from replearn.evaluate.neighbours import nearest

Matrix = npt.NDArray[np.float64]

COMPONENTS = 64  # kept before classes are told apart
PLAIN = 8  # that tell what is no sample at all, and span the space where there are no labels
WAVES = 1024  # random features at most; a quarter of the samples where there are few
WIDTH = 0.7  # of the kernel, in units of the median distance of two samples
SHRINKAGE = 1e-3  # of the covariance within classes, so that it can be inverted
ROWS = 8192  # training rows at most
NEIGHBOURS = 5


@dataclass(frozen=True, eq=False)
class ProbeSpace:
    """Real samples in a space of few directions, and how far from them a real one usually lies.

    Attributes:
        mean, components: of the training rows, (d,) and (d, r).
        waves: frequencies of the random features (r, f), or None: the components themselves span the space.
        directions: of the space among the features (2 f, s), or None.
        banks: training rows in the space (n, s), and their first components (n, p).
        usual: mean distances of held-out rows to their nearest training rows in both.
        larger: the mean over held-out rows of the larger of both distances, each over its usual one.
        neighbours: how many are nearest.
    """

    mean: Matrix
    components: Matrix
    waves: Matrix | None
    directions: Matrix | None
    banks: tuple[Matrix, Matrix]
    usual: tuple[float, float] = (1.0, 1.0)
    larger: float = 1.0
    neighbours: int = NEIGHBOURS

    def project(self, rows: Array) -> Matrix:
        """Raw rows (m, d) in the space (m, s)."""
        return self._both(rows)[0]

    def distances(self, rows: Array) -> Matrix:
        """How far raw rows (m, d) lie from real samples (m,): 1 is as near as held-out samples are, on average.

        It is the larger of two distances, each in units of what is usual: in the trained space, which tells what lies
        between classes, and in the first principal components, which tell what is no sample at all. NaN where held-out
        samples lie on training samples.
        """
        if not min(*self.usual, self.larger) > 0:
            return np.full(len(rows), np.nan)
        return self._larger(rows) / self.larger

    def _larger(self, rows: Array) -> Matrix:
        both = [near / usual for near, usual in zip(self._near(rows), self.usual, strict=True)]
        return np.asarray(np.max(both, axis=0))

    def _near(self, rows: Array) -> list[Matrix]:
        """Mean distance of raw rows to their nearest training rows in both spaces."""
        both = zip(self._both(rows), self.banks, strict=True)
        return [_to_neighbours(own, bank, self.neighbours) for own, bank in both]

    def _both(self, rows: Array) -> tuple[Matrix, Matrix]:
        parts = (rows - self.mean) @ self.components  # (m, r)
        plain = parts[:, :PLAIN]
        if self.waves is None or self.directions is None:
            return plain, plain
        return _features(parts, self.waves) @ self.directions, plain


def probe_space(
    train: Array,
    held: Array,
    labels: Array | None = None,
    *,
    neighbours: int = NEIGHBOURS,
    random_state: int = 0,
) -> ProbeSpace:
    """The directions that tell classes apart, or principal components where there are no labels.

    With labels: Fisher's discriminants, c - 1 of them for c classes, of random cosine and sine waves of the rows' 64
    largest principal components; that is nearly Fisher's discriminant with a Gaussian kernel, whose width is 0.7 of the
    median distance of two rows. Each class has unit covariance there, on average. Without two labelled classes: the
    first 8 principal components.

    Args:
        train: rows of raw samples (n, d), among which neighbours are sought; of more than 8,192, these many, at random.
        held: other real samples (m, d), which say what distance is usual.
        labels: classes of the training rows (n,), -1 for unlabelled, or None.
        neighbours: k, whose mean distance counts; all training rows where there are fewer.
        random_state: seed of waves and draws.

    Raises:
        ValueError: rows that are not finite tables of the same columns, or labels of another length.

    References: Fisher, Annals of Eugenics 1936. https://doi.org/10.1111/j.1469-1809.1936.tb02137.x;
        Rahimi & Recht, NeurIPS 2007, section 3. https://proceedings.neurips.cc/paper/2007/hash/013a006f03dbc5392effeb8f18fda755-Abstract.html

    >>> rows = np.random.default_rng(0).normal(size=(200, 3))
    >>> space = probe_space(rows[:100], rows[100:], rows[:100, 0] > 0)
    >>> space.banks[0].shape, round(float(space.distances(rows[100:]).mean()), 6)
    ((100, 1), 1.0)
    """
    train, held = check_features(train, "train"), check_features(held, "held")
    check_same_columns(train, held, ("train", "held"))
    if neighbours < 1:
        raise ValueError(f"neighbours must be at least 1; got {neighbours}. 5 is usual.")
    labels = None if labels is None else check_labels(labels, len(train), "labels")
    draw = np.random.default_rng(random_state)
    if len(train) > ROWS:
        chosen = draw.choice(len(train), ROWS, replace=False)
        train, labels = train[chosen], None if labels is None else labels[chosen]
    known = None if labels is None else is_labelled(labels)
    trained = labels is not None and known is not None and len(np.unique(labels[known])) > 1
    mean, components = _principal(train, COMPONENTS if trained else PLAIN, random_state)
    parts = (train - mean) @ components  # (n, r)
    bank, plain = parts, parts[:, :PLAIN]
    waves = directions = None
    if trained and labels is not None and known is not None and parts.shape[1]:
        waves = _waves(parts, draw)
        features = _features(parts, waves)
        directions = _discriminants(features[known], labels[known])
        bank = features @ directions
    space = ProbeSpace(
        mean, components, waves, directions, (bank, plain), neighbours=min(neighbours, len(train))
    )
    if not parts.shape[1]:  # all training rows are one
        return replace(space, usual=(0.0, 0.0))
    usual = tuple(float(near.mean()) for near in space._near(held))
    space = replace(space, usual=(usual[0], usual[1]))
    return replace(space, larger=float(space._larger(held).mean()) if min(usual) > 0 else 0.0)


def _principal(rows: Array, count: int, random_state: int) -> tuple[Matrix, Matrix]:
    """Mean (d,) and the principal directions (d, r) in which rows vary, `count` at most."""
    if (rows == rows[0]).all():
        return rows[0].astype(np.float64), np.zeros((rows.shape[1], 0))
    pca = PCA(min(count, *rows.shape), random_state=random_state).fit(rows.astype(np.float64))
    alive = pca.explained_variance_ > 1e-9 * max(float(pca.explained_variance_[0]), 1e-300)
    return pca.mean_, pca.components_[alive].T


def _waves(parts: Matrix, draw: np.random.Generator) -> Matrix:
    """Frequencies (r, f) of random features of a Gaussian kernel."""
    first, second = parts[draw.integers(0, len(parts), 2000)], parts[draw.integers(0, len(parts), 2000)]
    apart = np.linalg.norm(first - second, axis=1)
    width = WIDTH * float(np.median(apart[apart > 0]))
    count = min(WAVES, max(32, len(parts) // 4)) // 2
    return draw.normal(size=(parts.shape[1], count)) / width


def _features(parts: Matrix, waves: Matrix) -> Matrix:
    """Waves of rows (n, r): cosines and sines (n, 2 f)."""
    angle = parts @ waves
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)


def _discriminants(features: Matrix, labels: Array) -> Matrix:
    """Directions (f, c - 1) that tell classes apart, in units of the deviation within classes."""
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=SHRINKAGE).fit(features, labels)
    return np.asarray(lda.scalings_[:, : len(lda.classes_) - 1])


def _to_neighbours(points: Array, bank: Array, k: int) -> Matrix:
    """Mean distance of points (m, s) to their k nearest rows of the bank."""
    _, similarities = nearest(points, bank, k=k, metric="euclidean")
    return np.asarray(-similarities.mean(axis=1))
