"""The section "The code": the numbers of a latent space, and pictures of what lies in it."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from replearn.comparison import Comparison, Representation, before_training, is_baseline
from replearn.methods.inside import decoder_of, divergences_of, has_prior
from replearn.report.appearance import has_pixels
from replearn.report.chart import Chart, Series, line_chart
from replearn.report.excitement import layer_strips
from replearn.report.interpolations import Decode, draw_ends, interpolation_strips
from replearn.report.manifold import manifold_picture
from replearn.report.pictures import Strip, drawn, joined_up, of_samples
from replearn.report.strips import draw_queries
from replearn.report.table import Cell, joined, printable, records, wide_console
from replearn.report.thumbnails import png_uri
from replearn.report.traversals import traversal_strips

ASKED = "lifetime sparseness"  # the one measure that all latent spaces have
# The other measures in the order of the table, and what they are at best.
MEASURES = {
    "reconstruction error": "0",
    "reconstruction distance": "1",
    "interpolation distance": "1",
    "interpolation straightness": "1",
    "spherical distance": "1",
    "spherical straightness": "1",
    "silhouette": "1",
    "cluster NMI": "1",
    "cluster ARI": "1",
    "cluster accuracy": "100",
    "sparsity": "",
    ASKED: "",
    "population sparseness": "",
    "dead dimensions": "0",
    "beta-VAE score": "1",
    "FactorVAE score": "1",
    "MIG": "1",
    "DCI disentanglement": "1",
    "DCI completeness": "1",
    "DCI informativeness": "1",
    "SAP": "1",
    "modularity": "1",
    "explicitness": "1",
}
PROBES = ("kNN", "linear probe")
PAIRS = 4  # of images to go between
RECONSTRUCTED = 12
NAME, NUMBER = 10, 6  # columns of a terminal for the name of a representation, which wraps, and for a number


@dataclass(frozen=True)
class LatentLine:
    """A measure: its name, what it is at best, and its number for each representation."""

    title: str
    at_best: str
    cells: list[Cell]


@dataclass(frozen=True)
class LatentTable:
    """Names of the representations, and a line per measure."""

    names: list[str]
    lines: list[LatentLine]


@dataclass(frozen=True)
class Shown:
    """A picture on the page: its name, the PNG, and what it shows in words."""

    name: str
    uri: str
    text: str


@dataclass(frozen=True)
class Group:
    """Pictures under a heading, with a note; `triples` stand three by three."""

    title: str
    note: str
    pictures: list[Shown]
    triples: bool = False


@dataclass(frozen=True)
class CodePanel:
    """What the section shows of a method's code."""

    name: str
    table: LatentTable
    layers: Chart | None
    groups: list[Group]
    excited: list[Group]
    manifold: Shown | None


def latent_table(scores: pd.DataFrame) -> LatentTable | None:
    """The measures of `replearn.evaluate.latent_scores`, a line each; None where nobody asked for them."""
    if not (scores["measure"] == ASKED).any():
        return None
    scores = joined(scores)
    names = [str(name) for name in scores["representation"].unique()]
    found = {
        (name, measure): (mean, (high - low) / 2) for name, measure, _, mean, low, high in records(scores)
    }
    order = list(MEASURES.items())
    order += [(f"layer {layer} {probe}", "100") for layer in _layers(scores) for probe in PROBES]
    lines = [
        LatentLine(
            measure,
            at_best,
            [
                Cell(*found.get((name, measure), (math.nan, math.nan)), best=False, accuracy=at_best == "100")
                for name in names
            ],
        )
        for measure, at_best in order
        if any((name, measure) in found for name in names)
    ]
    return LatentTable(names, lines)


def print_latents(scores: pd.DataFrame, *, console: Console | None = None) -> None:
    """Print the table in 80 columns; nothing where nobody asked for it.

    Args:
        scores: of a `Comparison`.
        console: where to print; standard output if None.
    """
    table = latent_table(scores)
    if table is None:
        return
    drawn = RichTable(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    drawn.add_column("the code", no_wrap=True)
    drawn.add_column("best", justify="right", no_wrap=True, min_width=4)
    for name in table.names:
        drawn.add_column(
            Text(printable(name)), justify="right", overflow="fold", min_width=NUMBER, max_width=NAME
        )
    for line in table.lines:
        drawn.add_row(line.title, line.at_best, *(cell.number for cell in line.cells))
    (console or wide_console()).print(drawn)


def code_panel(comparison: Comparison) -> CodePanel | None:
    """The section of the one learned representation whose code was judged; None where none was."""
    table = latent_table(comparison.scores)
    row = next((row for row in comparison.rows if not is_baseline(row.name)), None)
    if table is None or row is None:
        return None
    charts = layer_chart(comparison.scores, row.name)
    if not has_pixels(comparison.test):
        return CodePanel(row.name, table, charts, [], [], None)
    decode = decoder_of(row.method, comparison.test.shape)
    excited = [
        Group(f"Layer {i}", "", [_shown(strip) for strip in strips])
        for i, strips in enumerate(layer_strips(row.method, comparison.test), start=1)
    ]
    if decode is None:
        return CodePanel(row.name, table, charts, [], excited, None)
    groups = [
        _reconstructions(comparison, row, decode),
        *_interpolations(comparison, row, decode),
        _traversals(comparison, row, decode),
    ]
    return CodePanel(row.name, table, charts, groups, excited, _manifold(row, decode))


def layer_chart(scores: pd.DataFrame, name: str) -> Chart | None:
    """Accuracy of probes layer by layer, before training and after; None where there were no layers or labels."""
    scores = joined(scores)
    found = {(own, measure): (mean, low, high) for own, measure, _, mean, low, high in records(scores)}
    layers = _layers(scores)
    styles = {(name, "linear probe"): "s0", (name, "kNN"): "s1"}
    for before in dict.fromkeys(own for own, _ in found if before_training(own)):
        styles |= {(before, "linear probe"): "s0 dashed", (before, "kNN"): "s1 dashed"}
    series = []
    for (own, probe), style in styles.items():
        points = [
            (layer, *found[key]) for layer in layers if (key := (own, f"layer {layer} {probe}")) in found
        ]
        if points:
            x, y, low, high = (list(map(float, column)) for column in zip(*points, strict=True))
            title = f"{probe.split()[0]}, before training" if before_training(own) else probe
            band = own == name
            series.append(Series(title, x, y, low if band else (), high if band else (), style, True))
    return line_chart(
        series,
        title="Accuracy of probes of each layer",
        x_label="layer",
        y_label="test accuracy",
        x_ticks=[float(layer) for layer in layers],
        in_percent=True,
    )


def _layers(scores: pd.DataFrame) -> list[int]:
    names = scores["measure"].astype(str).str.extract(r"^layer (\d+) ")[0].dropna()
    return sorted({int(name) for name in names})


def _reconstructions(comparison: Comparison, row: Representation, decode: Decode) -> Group:
    index = draw_queries(comparison.test, RECONSTRUCTED, np.random.default_rng(0))
    strips = [
        Strip("samples", of_samples(comparison.test, index)),
        Strip("decoded", drawn(decode(row.test[index]))),
    ]
    return Group(
        "What does the code keep?", "Test samples, and what their codes decode to.", list(map(_shown, strips))
    )


def _interpolations(comparison: Comparison, row: Representation, decode: Decode) -> list[Group]:
    if len(comparison.test) < 2:
        return []
    ends = draw_ends(comparison.test, PAIRS)
    pairs = interpolation_strips(decode, comparison.test, row.test, ends, centre=row.train.mean(axis=0))
    note = (
        "Each row lies between the same two test samples, first and last. Pixels mixed; then what the code decodes to "
        "when it moves straight from one to the other, and on an arc around the mean code."
    )
    shown = [_shown(strip) for strips in pairs for strip in strips]
    return [Group("What lies between two samples?", note, shown, triples=True)]


def _traversals(comparison: Comparison, row: Representation, decode: Decode) -> Group:
    told = divergences_of(row.method, comparison.test)
    strips = traversal_strips(decode, row.test, divergences=told)
    by = "variance of the code" if told is None else "KL divergence from the prior, in nats"
    note = (
        "Each row moves one number of the code of a typical test sample from its 2 % to its 98 % quantile; the others "
        f"stay. First those of largest {by}; {len(strips)} of {row.test.shape[1]} are shown."
    )
    return Group("What does each number of the code stand for?", note, [_shown(strip) for strip in strips])


def _manifold(row: Representation, decode: Decode) -> Shown | None:
    if row.test.shape[1] != 2:
        return None
    picture = manifold_picture(decode, row.test, normal=has_prior(row.method))
    by = "a standard normal distribution" if has_prior(row.method) else "the codes of test samples"
    text = f"What codes on a grid decode to, evenly spaced in probability by {by}."
    return Shown("manifold", png_uri(picture), text)


def _shown(strip: Strip) -> Shown:
    text = f"{strip.name}: {len(strip.pictures)} pictures"
    return Shown(strip.name, png_uri(joined_up([strip.pictures])), text)
