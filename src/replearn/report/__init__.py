"""Results to look at: a table, figures, one HTML page."""

from replearn.report.choice import choice, print_choice
from replearn.report.figures import few_label_figure, neighbour_figure, save_figures
from replearn.report.page import write_report
from replearn.report.table import print_table, table_rows, to_markdown
from replearn.report.verdict import verdict

__all__ = [
    "choice",
    "few_label_figure",
    "neighbour_figure",
    "print_choice",
    "print_table",
    "save_figures",
    "table_rows",
    "to_markdown",
    "verdict",
    "write_report",
]
