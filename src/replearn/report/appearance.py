"""How samples are shown: images by their pictures, texts by their words, others not at all. Told here, nowhere else."""

from typing import Literal

from replearn.data import Samples, TextSamples

Appearance = Literal["picture", "text"]


def appearance(samples: Samples) -> Appearance | None:
    """What is shown of samples beside their classes and names.

    >>> appearance(TextSamples(["to be"]))
    'text'
    """
    if isinstance(samples, TextSamples):
        return "text"
    return "picture" if samples.kind == "image" else None


def has_thumbnails(samples: Samples) -> bool:
    """Whether the samples can be shown as pictures."""
    return appearance(samples) == "picture"
