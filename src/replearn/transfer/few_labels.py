"""Few labels make few batches: a training that nobody has given its epochs goes through them more often."""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager

from replearn.data.processes import process
from replearn.transfer.tuning import Tuning

EPOCHS = 10  # where there are labels enough

log = logging.getLogger("replearn")


@contextmanager
def steps_enough(model: Tuning, n: int) -> Iterator[None]:
    """While entered, `epochs` that were not given are as many as n samples need; then as given again."""
    if model.epochs is not None:
        yield
        return
    model.epochs = epochs_for(n, each=model.batch_size, accumulate=model.accumulate, least=model.least_steps)
    if model.epochs > EPOCHS and process() == 0:
        log.info(
            "%d epochs, for at least %d steps: of %d labelled samples, %d epochs have %d; epochs=%d takes these",
            *(model.epochs, model.least_steps, n, EPOCHS),
            *(max(1, EPOCHS * (n // model.batch_size) // model.accumulate), EPOCHS),
        )
    try:
        yield
    finally:
        model.epochs = None


def epochs_for(n: int, *, each: int, accumulate: int = 1, least: int) -> int:
    """Epochs of n samples, in batches of `each`, so that there are at least so many steps.

    >>> epochs_for(80, each=16, least=500), epochs_for(8_000, each=16, least=500)
    (100, 10)
    """
    return max(EPOCHS, math.ceil(least * accumulate / max(1, n // each)))
