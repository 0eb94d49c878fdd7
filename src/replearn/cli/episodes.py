"""What `replearn evaluate --episodes` tells: how well a few samples of classes tell these apart, row by row."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # torch is imported when the command runs
    from replearn.comparison import Comparison
    from replearn.data import Samples

WAYS, SHOTS = (5, 20), (1, 5)
QUERIES = 15  # of each class, at most
EPISODES = 600
METRICS = ("euclidean", "cosine")


def check_episodes(train: "Samples", test: "Samples") -> None:
    """Raises ValueError where there are no labels to draw classes by."""
    if train.labels is None or test.labels is None:
        raise ValueError(
            "--episodes draws classes, so DATA must have labels; it has none. Name them by --labels."
        )


def episode_facts(
    comparison: "Comparison", method: Any, *, held: bool, random_state: int = 0, n: int = EPISODES
) -> dict[str, Any]:
    """Accuracies by the nearest centroid, of the rows of a comparison that are raw, untrained or the run's own.

    Args:
        comparison: of the run.
        method: the run's.
        held: the run was fitted on the training part, so that episodes are drawn from the test part alone; else from
            both, for nothing is trained here.
        random_state: seed of the draws, which are the same for all rows.
        n: number of episodes.
    """
    from replearn.comparison import BY_HAND, WORDS
    from replearn.data.labels import WHOLE
    from replearn.evaluate import episodes

    parts = [comparison.test] if held else [comparison.train, comparison.test]
    labels = np.concatenate([part.labels for part in parts if part.labels is not None])
    rows = [row for row in comparison.rows if row.name not in (WORDS, BY_HAND)]
    settings, left_out, scores = [], [], []
    for way in WAYS:
        for shots in SHOTS:
            queries, enough = room(labels, shots)
            if enough < way:
                left_out.append(
                    f"{way}-way {shots}-shot, since {enough} classes have more than {shots} samples"
                )
                continue
            few = len(np.unique(labels[labels >= 0])) - enough
            settings.append(
                {"way": way, "shots": shots, "queries": queries, "classes": enough, "too few": few}
            )
            for row in rows:
                found = row.test if held else np.concatenate([row.train, row.test])
                for metric in METRICS:
                    score = episodes(
                        *(found, labels), way=way, shots=shots, queries=queries, n=n, metric=metric,
                        random_state=random_state,
                    )  # fmt: skip
                    told = {"accuracy": score.accuracy, "low": score.low, "high": score.high}
                    scores.append({"name": row.name, "by": metric, "way": way, "shots": shots} | told)
    told_apart = method.samples_.classes if getattr(method, "needs_labels", False) else ()
    known = {
        name for name in told_apart if not WHOLE.fullmatch(name)
    }  # numbers are no names: others may have them
    there = {comparison.train.classes[label] for label in np.unique(labels[labels >= 0])}
    return {
        "n": n,
        "samples": len(labels),
        "held out": held,
        "settings": settings,
        "scores": scores,
        "left out": left_out,
        "known classes": len(known & there),
        "classes": len(there),
    }


def room(labels: Any, shots: int) -> tuple[int, int]:
    """Queries of each class beside so many shots, and the classes that have enough samples for both.

    As many queries as half of the classes have room for, at most 15.

    >>> room(np.arange(4).repeat([2, 9, 9, 9]), shots=5)
    (4, 3)
    """
    _, counts = np.unique(labels[labels >= 0], return_counts=True)
    counts = counts[counts > shots]
    if not len(counts):
        return 0, 0
    queries = min(QUERIES, int(np.median(counts)) - shots)
    return queries, int((counts >= shots + queries).sum())


def print_episodes(facts: dict[str, Any]) -> None:
    """Print in 80 columns what `episode_facts` found, if anything."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from replearn.report.table import printable, wide_console

    if not facts:
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("nearest centroid", overflow="fold")
    table.add_column("by", no_wrap=True)
    for setting in facts["settings"]:
        table.add_column(f"{setting['way']}w {setting['shots']}s", justify="right", no_wrap=True)
    lines: dict[tuple[str, str], list[str]] = {}
    for score in facts["scores"]:
        half = (score["high"] - score["low"]) / 2
        cell = f"{100 * score['accuracy']:.1f} ± {100 * half:.1f}"
        lines.setdefault((score["name"], score["by"]), []).append(cell)
    for (name, metric), cells in lines.items():
        table.add_row(Text(printable(name)), metric, *cells)
    if facts["settings"]:
        wide_console().print(table)
    which = "test samples" if facts["held out"] else "samples of both parts"
    print(f"accuracy in percent over {facts['n']} episodes of {facts['samples']:,} {which}; w: ways,")
    print("  s: shots, ± half of a 95 % interval; cosine: of rows less their mean")
    for setting in facts["settings"]:
        number = setting["too few"]
        few = f"; {number} {'class has' if number == 1 else 'classes have'} too few samples" if number else ""
        told = f"{setting['classes']} classes, {setting['queries']} queries of each{few}"
        print(f"  {setting['way']}w {setting['shots']}s: {told}")
    for sentence in facts["left out"]:
        print(f"  left out: {sentence}")
    if facts["known classes"]:
        print(
            f"  {facts['known classes']} of {facts['classes']} classes have the names of those that the run was "
            "trained\n  to tell apart: of new classes its row says nothing"
        )
