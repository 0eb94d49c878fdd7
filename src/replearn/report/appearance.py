"""What is shown of samples: see `replearn.report.kinds`."""

from replearn.data import Samples
from replearn.data.kinds import KINDS, PIXELS
from replearn.report.kinds import LOOKS, Shown


def appearance(samples: Samples) -> Shown | None:
    """What is shown of samples beside their classes and names.

    >>> from replearn.data import TextSamples
    >>> appearance(TextSamples(["to be"]))
    'text'
    """
    return LOOKS[samples.kind].shown


def has_thumbnails(samples: Samples) -> bool:
    """Whether the samples can be shown as pictures."""
    return appearance(samples) == "picture"


def has_pixels(samples: Samples) -> bool:
    """Whether the samples are images, so that there are places in them."""
    return PIXELS in KINDS[samples.kind].offers
