"""What `explore` of a run and `explore` of an index share: options, labels, lines, and texts that are asked for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from replearn.cli.samples import DataOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from replearn.data import Samples
    from replearn.service.explore import LabelFile, Places


@dataclass(kw_only=True)
class ExploreOptions(DataOptions):
    """Open a page with a map of DATA by the representation of RUN, until it is stopped: samples and their neighbours,
    search, selections, and labels by clicking.

    Of an INDEX, its rows and columns are shown, and the samples where they are at hand.

    Attributes:
        run: folder that `fit` or `finetune` wrote, or `index`.
        data: built-in name or path; of an index, its samples, if they are not where they were.
        labels: CSV file that clicks are written to, read by `replearn finetune DATA --labels FILE`; of a table, its
            column of labels.
        map: how samples are placed: t-SNE, of 5,000 at most, others beside their nearest; principal components; or
            UMAP, of the package umap-learn.
        classifier: run of `finetune --task classify`, whose predictions and confidence are colours.
        keep: columns of DATA's table, or of a file of labels, that are colours.
        beside: second run, whose map stands beside the first.
        of: member of a run of clip that DATA are, if it is not the only one without texts.
        parquet: write the map as a table for embedding-atlas to that file, instead of opening a page.
        host: address to listen at.
        port: to listen at; 0: a free one.
        tokens: file with a token per line, one of which the page asks for; needed where --host is not this machine.
        seed: of the map.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN|INDEX")]
    data: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="DATA")] = None
    map: Literal["tsne", "pca", "umap"] = "tsne"
    classifier: Annotated[str | None, tyro.conf.arg(metavar="RUN")] = None
    keep: Annotated[tuple[str, ...], tyro.conf.arg(metavar="COLUMN...")] = ()
    beside: Annotated[str | None, tyro.conf.arg(metavar="RUN2")] = None
    of: Annotated[str | None, tyro.conf.arg(metavar="MEMBER")] = None
    parquet: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    host: str = "127.0.0.1"
    port: int = 8000
    tokens: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    seed: int = 0

    @property
    def source(self) -> str:
        """DATA, which a run needs.

        Raises:
            ValueError: it was not given.
        """
        if self.data is None:
            raise ValueError("all arguments must be given; missing: DATA. See `replearn explore --help`.")
        return self.data


def reader(method: Any, known: Any, member: str | None) -> "Callable[[str], np.ndarray] | None":
    """What represents a text where the samples' rows are, or None where the run reads none."""
    from replearn.data import TextSamples
    from replearn.data.text import text_samples
    from replearn.service.reading import members_of, rows_of

    texts = [name for name, part in members_of(method).items() if part.kind == TextSamples.kind]
    if (known.kind if member is None else "") != TextSamples.kind and not texts:
        return None
    return lambda text: rows_of(method, text_samples([text]), texts[0] if texts else None)


def label_file(path: str, samples: "Samples") -> "LabelFile":
    """The file that clicks are written to; samples without names are named by their numbers."""
    from replearn.service.explore import LabelFile

    return LabelFile(path, [str(i) for i in range(len(samples))] if samples.names is None else samples.names)


def told_places(places: "Places", shown: int, n: int) -> str:
    """How samples were placed, and how much the map is worth."""
    drawn = f"{shown:,} of {n:,} samples, drawn at random. " if shown < n else ""
    return (
        f"{drawn}Map: {places.told}. {100 * places.kept:.0f} % of the 10 nearest by the representation are among the "
        "10 nearest on the map; distances on it mean little."
    )
