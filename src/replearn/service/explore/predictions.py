"""What a classifier says of samples, as colours."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from replearn.data.labels import UNLABELLED
from replearn.service.explore.explored import Colour


def prediction_colours(
    p: Float[np.ndarray, "n c"], classes: Sequence[str], label: Colour | None
) -> list[Colour]:
    """The likeliest class, its probability, and, where labels have the same names, whether it is right.

    >>> [one.name for one in prediction_colours(np.array([[0.1, 0.9]]), ["a", "b"], None)]
    ['prediction', 'confidence']
    """
    likeliest = p.argmax(1)
    found = [Colour("prediction", likeliest, tuple(classes)), Colour("confidence", p.max(1))]
    if label is None or not set(label.classes) & set(classes):
        return found
    of_class = np.array([classes.index(name) if name in classes else -2 for name in label.classes])
    right = np.where(
        label.values == UNLABELLED, UNLABELLED, (of_class[label.values] == likeliest).astype(np.int64)
    )
    return [*found, Colour("prediction is", right, ("wrong", "right"))]
