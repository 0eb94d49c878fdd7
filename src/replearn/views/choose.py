"""From what a method's `views` field may hold to views."""

import numpy as np
import torch

from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.defaults import default_views, named_views
from replearn.views.written import given_views

AUTO = "auto"
ONE = ("single", "cut", "exemplars")  # splits of which one view of each sample is read


def make_views(spec: Split | View | str | None, samples: Samples, split: str = "pair") -> Split:
    """The views themselves, those of a preset by name, those in writing, or the default ones for these samples.

    Args:
        spec: what the field holds; None and `auto` are the default ones.
        samples: to be seen.
        split: what a preset is made into, one of `SPLITS`.

    Raises:
        ValueError: no preset has this name, it is for another kind of samples, or what is written makes no split.
    """
    spec = given_views(spec)
    if isinstance(spec, View):
        raise ValueError(
            f"views must split a sample into what is seen and what is told by it; {type(spec).__name__} is a view, of "
            "which a split is made: Pair(view), or for one view MultiCrop(view, view, n_small=0, n_large=1)."
        )
    if spec is None or spec == AUTO:
        views = default_views(samples, split)
    else:
        views = named_views(spec, samples, split) if isinstance(spec, str) else spec
    views = views.fitted(samples)
    if isinstance(spec, Split) and split in ONE:
        check_one(views, samples)
    return views


def check_one(views: Split, samples: Samples) -> None:
    """Raises ValueError where the first view has more than one row for each sample."""
    few = samples[np.arange(min(2, len(samples)))]
    with torch.random.fork_rng(devices=[]):
        rows = len(views(few)[0])
    if rows != len(few):
        raise ValueError(
            f"views must show each sample once; {type(views).__name__} shows {len(few)} samples as {rows} rows. Give a "
            "split such as MultiCrop(view, view, n_small=0, n_large=1), or leave views out."
        )
