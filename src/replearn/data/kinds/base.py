"""`Kind`: what is said of a kind of samples where data are read and compared."""

from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data.asked import Asked, Found
from replearn.data.samples import Batch, Samples

# What a kind may offer here; methods say what they need (see `replearn.methods.needs`).
ROWS = "rows"  # every sample is a row of the same numbers
PIXELS = "pixels"  # images (c, h, w)
WORDS = "words"  # texts, which a tokenizer reads


class BatchSamples(Samples):
    """The samples of one batch.

    Args:
        batch: of them.
        like: samples of the same kind, or their description.
    """

    def __init__(self, batch: Batch, like: Any) -> None:
        self.batch = batch
        self.kind = like.kind
        self.shape = tuple(batch.x.shape[1:]) if isinstance(batch.x, Tensor) else like.shape
        self.labels = batch.labels.numpy()
        self.classes = like.classes
        self.details = like.details

    def __len__(self) -> int:
        return len(self.batch)

    def __getitem__(self, index: np.ndarray) -> Batch:
        where = torch.from_numpy(np.asarray(index, dtype=np.int64))
        if isinstance(self.batch.x, Tensor):
            return Batch(self.batch.x[where], self.batch.labels[where], where)
        if len(index) and (np.diff(index) != 1).any():
            raise ValueError(
                "content that is no tensor is read in order; got other positions. Take consecutive ones."
            )
        found = self.batch.rows(int(index[0]) if len(index) else 0, int(index[-1]) + 1 if len(index) else 0)
        return Batch(found.x, found.labels, where)


class Kind:
    """A kind of samples, as the stage `data` knows it. What is not overridden is as most kinds have it.

    Attributes:
        plural: in a sentence, "images".
        offers: what methods may need of it.
        listed: whether people have such samples; not those that are made of others on the way.
        bounded: whether all its numbers lie in [0, 1] once they are floats.
        cuts: whether `read` may make several samples of what has one label, or none, and puts labels to them itself.
        tabular: whether a folder of such samples may have a table, of which columns can be named.
        scaled: whether its numbers have units of their own, so that they are brought into one for what does not see to
            that itself.
    """

    plural: ClassVar[str] = "samples"
    offers: ClassVar[frozenset[str]] = frozenset({ROWS})
    listed: ClassVar[bool] = True
    bounded: ClassVar[bool] = False
    cuts: ClassVar[bool] = False
    tabular: ClassVar[bool] = False
    scaled: ClassVar[bool] = False

    def claims(self, data: Any) -> bool:
        """Whether `as_samples` should let this kind read such data; asked before images, tables and texts are."""
        return False

    def read(self, data: Any, asked: Asked) -> Found:
        """Samples of data that are claimed, and the labels and groups that they bring, or None.

        Raises:
            ValueError: the data are not as they must be.
        """
        raise ValueError(
            f"{self.plural} are read by as_samples as what they are; got kind= for them. Leave it out."
        )

    def options_like(self, expected: Any) -> dict[str, Any]:
        """Options of `as_samples` by which files are read as samples like those expected."""
        return {}

    def alike(self, samples: Samples, expected: Any, *, convert: bool) -> Samples:
        """Samples made like those expected, as far as nothing is lost, or, with `convert`, further; it is said.

        Args:
            samples: of this kind.
            expected: samples, or the description of samples, of this kind.
            convert: whether what was read of files may be resized, and so on.
        """
        return samples

    def of_batch(self, batch: Batch, like: Samples) -> Samples:
        """The rows of a batch, as samples like those that it came from."""
        return BatchSamples(batch, like)

    def features(self, samples: Samples) -> Float[np.ndarray, "n d"] | None:
        """What a sensible person would compute by hand before learning anything; None: nothing.

        Comparisons show it beside raw rows.
        """
        return None
