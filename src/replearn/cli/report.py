"""`replearn report RUN`: the page of a run or comparison, from what its folder holds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from replearn.cli.options import Flag, parse


@dataclass(kw_only=True)
class ReportOptions:
    """Write RUN/report.html again, from evaluation.json, history, weights and the data that it names.

    Attributes:
        run: folder of a run that was evaluated, of one of scenes, of a comparison or of the demo.
        title: heading of the page.
        again: compute representations anew, also those that RUN keeps.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    title: str | None = None
    again: Flag = False


def run(args: list[str]) -> None:
    """The command."""
    options = parse(ReportOptions, args, command="report")
    from replearn.cli.runs import held

    with held(options.run):
        _report(options)


def _report(options: ReportOptions) -> None:
    """Read, draw, write, print."""
    from replearn.cli.evaluations import print_scores, read_evaluation
    from replearn.cli.pairing import print_pairing
    from replearn.cli.runs import shown
    from replearn.cli.scenes import report_scenes
    from replearn.engine.run import REPORT, SCENES
    from replearn.report import write_report
    from replearn.report.pairing import PAIRING, pairing_panel

    folder = Path(options.run)
    if (folder / SCENES).is_file():
        report_scenes(folder, title=options.title)
        return
    comparison = read_evaluation(folder, again=options.again)
    title = options.title or str(comparison.facts.get("title", folder.resolve().name))
    written = write_report(folder / REPORT, comparison, title=title)
    print_scores(comparison)
    if pairing_panel(comparison):
        print_pairing(comparison.facts[PAIRING])
    print(f"written: {shown(written)}")
