"""The page of a model of scenes: its scores, what it found beside what is there, its training, what was run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from markupsafe import Markup

from replearn.comparison import Representation, training_of
from replearn.data import Scenes
from replearn.report.curves import training_charts
from replearn.report.page import template, write_page
from replearn.report.provenance import Block, in_words, training_lines
from replearn.report.scenes import SURE, colour_of, scene_figure
from replearn.report.thumbnails import figure_uri
from replearn.transfer.scene_model import SceneModel

SHOWN = 12


@dataclass(frozen=True)
class Picture:
    """A scene on the page, true above found: its name, and its own score."""

    uri: str
    name: str
    score: str
    alt: str


def write_scene_report(
    path: str | Path,
    model: SceneModel,
    scenes: Scenes,
    scores: Mapping[str, Mapping[str, float]],
    *,
    title: str,
    seconds: float = 0.0,
    command: str = "",
) -> Path:
    """Write what a model of scenes is worth as one HTML file, which needs no network and runs no script.

    Args:
        path: the file; its folder is made if it is not there.
        model: fitted.
        scenes: that it was judged by; some are shown, from the best to the worst.
        scores: by name `score`, `usual` (that of the usual answer), and `low` and `high` where there is an interval.
        title: heading of the page.
        seconds: of the training.
        command: that repeats the run.

    Raises:
        OSError: the file cannot be written.
    """
    path = Path(path)
    found = model.predict(scenes)
    name, (history, alarms) = type(model).__name__, training_of(model)
    nothing = np.empty((0, 0))
    row = Representation(name, nothing, nothing, model, seconds, history, alarms)
    page = template("scenes.html.j2").render(
        title=title,
        script_source=Markup("'none'"),
        verdict=_verdict(scores[model.main], model.main, len(scenes)),
        rows=[_row(key, of) for key, of in scores.items()],
        tested=len(scenes),
        usual=model.usual_told,
        main=model.main,
        threshold=f", where the score is {SURE:g} or more" if isinstance(found, list) else "",
        classes=[(of, colour_of(i)) for i, of in enumerate(scenes.classes)],
        pictures=_pictures(model, scenes, found),
        trainings=training_charts([row]),
        command=command,
        blocks=[_data(scenes), Block(name, training_lines(row))],
    )
    write_page(path, page)
    return path


def from_best_to_worst(scores: Sequence[float], number: int = SHOWN) -> Int[np.ndarray, " k"]:
    """Positions of some scores at even steps from the largest to the smallest; NaN is none.

    >>> from_best_to_worst([0.1, 0.9, float("nan"), 0.5, 0.3], 3).tolist()
    [1, 4, 0]
    """
    values = np.asarray(scores, np.float64)
    order = np.argsort(-values, kind="stable")[: int(np.isfinite(values).sum())]
    steps: Int[np.ndarray, " k"] = order[
        np.unique(np.linspace(0, len(order) - 1, min(number, len(order))).round().astype(int))
    ]
    return steps


def _pictures(model: SceneModel, scenes: Scenes, found: Any) -> list[Picture]:
    judged = model.judged(found, scenes)
    own = [judged(np.array([i]))[model.main] for i in range(len(scenes))]
    made = []
    for i in from_best_to_worst(own).tolist():
        figure = scene_figure(scenes.subset([i]), found[i : i + 1])
        name = scenes.names[i] if scenes.names is not None else f"scene {i}"
        alt = f"{name}: as labelled, and as found"
        made.append(Picture(figure_uri(figure), name, f"{model.main} {own[i]:.2f}", alt))
    return made


def _verdict(of: Mapping[str, float], main: str, tested: int) -> str:
    better = "more than" if of["score"] > of["usual"] else "no more than"
    return f"{main} is {of['score']:.3f} on {tested:,} test scenes, {better} the usual answer's {of['usual']:.3f}."


def _row(name: str, of: Mapping[str, float]) -> dict[str, str]:
    interval = f"{of['low']:.3f} to {of['high']:.3f}" if "low" in of else "-"
    return {
        "name": name,
        "score": f"{of['score']:.4f}",
        "usual": f"{of['usual']:.4f}",
        "interval": interval,
    }


def _data(scenes: Scenes) -> Block:
    lines = [
        ("test scenes", repr(scenes).strip("<>").partition(": ")[2]),
        ("classes", in_words(scenes.classes)),
    ]
    if scenes.skipped:
        name, reason = scenes.skipped[0]
        lines.append(("left out", f"{len(scenes.skipped):,}, the first: {name} {reason}"))
    return Block("data", lines)
