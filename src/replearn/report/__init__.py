"""Results to look at: a table, figures, one HTML page."""

from replearn.report.choice import choice, print_choice
from replearn.report.excitement import excitement_figure
from replearn.report.exhibits import exhibit_figure
from replearn.report.figures import few_label_figure, neighbour_figure, save_figures
from replearn.report.interpolations import interpolation_figure
from replearn.report.latents import print_latents
from replearn.report.manifold import manifold_figure
from replearn.report.page import print_verdict, write_report
from replearn.report.scenes import scene_figure
from replearn.report.table import print_table, table_rows, to_markdown
from replearn.report.traversals import traversal_figure
from replearn.report.verdict import verdict

__all__ = [
    "choice",
    "excitement_figure",
    "exhibit_figure",
    "few_label_figure",
    "interpolation_figure",
    "manifold_figure",
    "neighbour_figure",
    "print_choice",
    "print_latents",
    "print_table",
    "print_verdict",
    "save_figures",
    "scene_figure",
    "table_rows",
    "to_markdown",
    "traversal_figure",
    "verdict",
    "write_report",
]
