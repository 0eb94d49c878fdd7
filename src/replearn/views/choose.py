"""From what a method's `views` field may hold to views."""

from replearn.data.samples import Samples
from replearn.views.base import Split
from replearn.views.defaults import default_views, named_views

AUTO = "auto"


def make_views(spec: Split | str | None, samples: Samples, split: str = "pair") -> Split:
    """The views themselves, those of a preset by name, or the default ones for these samples.

    Args:
        spec: what the field holds; None and `auto` are the default ones.
        samples: to be seen.
        split: what a preset is made into, one of `SPLITS`.

    Raises:
        ValueError: no preset has this name, or it is for another kind of samples.
    """
    if spec is None or spec == AUTO:
        views = default_views(samples, split)
    else:
        views = named_views(spec, samples, split) if isinstance(spec, str) else spec
    return views.fitted(samples)
