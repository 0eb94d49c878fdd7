"""`replearn finetune RUN SCENES --task detect` (or `segment`): what is where in scenes, in boxes or in masks.

`scenes.json` of the run folder says on which scenes the model was judged, and how good it is, for `replearn report`:

    data        DATA and its options, as on the command line, and a hash of the test scenes
    scores      by name: `score`, `low` and `high` of its 95 % interval where there is one, `usual` of the usual answer
    seconds     of the training
    command     words of the command
"""

import dataclasses
import logging
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from replearn.cli.commands import kept_command
from replearn.cli.options import Flag, parse
from replearn.cli.samples import TEST_SHARE, short_name, shown_data
from replearn.cli.scores import print_beside

if TYPE_CHECKING:
    from replearn.data import Scenes
    from replearn.transfer.scene_model import SceneModel

log = logging.getLogger("replearn")

USUAL = "usual answer"
ABOUT = """Put the encoder of RUN to scenes, and judge it on a test part: {what}

SCENES is `scenes`, which are drawn; a .json file of COCO's format; a folder of PASCAL VOC's, or FOLDER:part for a part
that it lists; for masks also a folder of images, with --masks and --classes."""
WHAT = {
    "detect": "boxes, by torchvision's FCOS (Detector).",
    "segment": "masks, by torchvision's FCN or DeepLab head (Segmenter).",
}


@dataclass(kw_only=True)
class SceneData:
    """How to read scenes.

    Attributes:
        test: test part, if not the fixed one of `scenes` or a fifth of SCENES, drawn at random.
        images: folder of the images of a .json file, if not its own; a second one for --test.
        masks: folder of the masks of a folder of images; a second one for --test.
        classes: their names in order; a folder of images needs them.
        image_size: pixels a side of the scenes, a multiple of 32; if not given, 64 of `scenes` and 96 of files.
    """

    test: Annotated[str | None, tyro.conf.arg(metavar="SCENES")] = None
    images: Annotated[tuple[str, ...], tyro.conf.arg(metavar="FOLDER...")] = ()
    masks: Annotated[tuple[str, ...], tyro.conf.arg(metavar="FOLDER...")] = ()
    classes: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME...")] = ()
    image_size: Annotated[int | None, tyro.conf.arg(metavar="PIXELS")] = None


@dataclass(kw_only=True)
class SceneOptions(SceneData):
    """Where to start from, and where to.

    Attributes:
        run: folder that `fit` wrote, or the name of an encoder.
        data: scenes, or a path.
        task: boxes or masks.
        to: folder for the result; runs/TASK-SCENES if not given.
        resume: go on with the training in that folder.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="SCENES")]
    task: Literal["detect", "segment"]
    to: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None
    resume: Flag = False


def run_scenes(args: list[str], task: str) -> None:
    """The command, for a task of scenes."""
    from replearn.cli.commands import next_command
    from replearn.cli.fields import field_options, make_method
    from replearn.cli.runs import minutes, new_run, shown
    from replearn.comparison import cut_short, training_of
    from replearn.transfer import Detector, Segmenter

    cls = {"detect": Detector, "segment": Segmenter}[task]
    fields = field_options(cls, left_out=("encoder",))
    options: Any = parse(
        _with_fields(fields), args, command=f"finetune --task {task}", about=ABOUT.format(what=WHAT[task])
    )
    model = make_method(cls, options.options).set_params(encoder=options.run)
    folder = Path(options.to or f"runs/{task}-{short_name(options.data)}")
    with new_run(folder):
        train, test = scene_parts(options.data, options, masks=cls.reads_masks)
        model.check_scenes(train)
        model.check_scenes(test)
        model.fit(train, run=folder, resume=options.resume)
        history, _ = training_of(model)
        seconds = history[-1]["seconds"] if history else 0.0
        scores = judged_scenes(model, train, test)
        write_scenes(folder, options, test, scores, seconds, args)
    cut = cut_short(history, model)
    steps = f", stopped at {cut}" if cut else f", {int(history[-1]['step']):,} steps" if history else ""
    print(f"{task} on {shown_data(options.data)}: {len(train):,} scenes{steps}, {minutes(seconds)}")
    print_scores(scores, test, main=model.main)
    print(f"saved in {shown(folder)}; next:\n  {next_command('report', shown(folder))}")


def scene_parts(data: str, options: SceneData, *, masks: bool) -> tuple["Scenes", "Scenes"]:
    """Training and test part: those of `scenes`, those named, or 80 and 20 % at random.

    Raises:
        ValueError: they can't be read.
    """
    from replearn.data import split
    from replearn.data.scene_sources import DRAWN, DRAWN_PARTS

    if data == DRAWN and options.test is None:
        train, test = (_read(f"{DRAWN}:{part}", options, masks=masks) for part in DRAWN_PARTS)
        return train, test
    if data.startswith(f"{DRAWN}:") and options.test is None:
        raise ValueError(
            f"built-in scenes to judge by must be named without a part, since both parts are needed; got {data}. Write "
            f"{DRAWN}, or name a --test."
        )
    for name in ("images", "masks"):
        given = getattr(options, name)
        if len(given) > 1 + (options.test is not None):
            raise ValueError(
                f"--{name} must name a folder, and a second one for --test; got {len(given)}. Leave the others out."
            )
    train = _read(data, options, masks=masks)
    if options.test is not None:
        return train, _read(options.test, options, masks=masks, place=-1, classes=train.classes)
    kept, held = split(train, test=TEST_SHARE, random_state=0)
    log.info(
        "%s: split at random: %d scenes to train, %d to test (--test names your own)",
        *(data, len(kept), len(held)),
    )
    return kept, held  # type: ignore[return-value]


def _read(
    data: str, options: SceneData, *, masks: bool, place: int = 0, classes: tuple[str, ...] = ()
) -> "Scenes":
    """The scenes of a name; of several folders that were given, those at `place` are theirs."""
    from replearn.data.scene_sources import as_scenes

    folders = {
        name: (getattr(options, option) or (None,))[place]
        for name, option in (("images", "images"), ("mask_folder", "masks"))
    }
    return as_scenes(
        data, masks=masks, **folders, classes=classes or options.classes, size=options.image_size
    )


def judged_scenes(model: "SceneModel", train: "Scenes", test: "Scenes") -> dict[str, dict[str, float]]:
    """Scores on the test part by name: `score`, `low` and `high` of its interval, `usual` of the usual answer."""
    import numpy as np

    from replearn.evaluate.intervals import drawn_intervals

    every = np.arange(len(test))
    judged = model.judged(model.predict(test), model.scored(test))
    usual = model.judged(model.usual(train, len(test)), test)(every)
    sure = drawn_intervals(judged, every)
    return {
        name: {"score": score, "usual": usual[name]}
        | (dict(zip(("low", "high"), sure[name], strict=True)) if name in sure else {})
        for name, score in judged(every).items()
    }


def write_scenes(
    folder: Path,
    options: SceneOptions,
    test: "Scenes",
    scores: Mapping[str, Mapping[str, float]],
    seconds: float,
    args: list[str],
) -> None:
    """Write `scenes.json`."""
    from replearn.engine.run import SCENES, write_json

    how = {field.name: getattr(options, field.name) for field in dataclasses.fields(SceneData)}
    content = {
        "data": {"data": shown_data(options.data), "fingerprint": test.fingerprint()} | how,
        "scores": scores,
        "seconds": seconds,
        "command": kept_command("finetune", args),
    }
    write_json(folder / SCENES, content)


def report_scenes(folder: Path, *, title: str | None) -> None:
    """`replearn report` of such a run.

    Raises:
        ValueError: `scenes.json` is broken, or names scenes that are others now.
    """
    from replearn.cli.runs import load_run, shown
    from replearn.engine.run import REPORT, SCENES, read_json
    from replearn.report.scene_page import write_scene_report
    from replearn.transfer.scene_model import SceneModel

    content = read_json(folder / SCENES)
    try:
        known = dict(content["data"])
        data, fingerprint = str(known.pop("data")), known.pop("fingerprint")
        how: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in known.items()}
        options = SceneData(**how)
        scores = {
            str(name): {str(key): float(v) for key, v in of.items()} for name, of in content["scores"].items()
        }
        seconds, command = float(content["seconds"]), shlex.join(content["command"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(
            f"{folder / SCENES} must be as replearn wrote it; it is not ({error!r}). Fine-tune again."
        ) from error
    model = load_run(str(folder))
    if not isinstance(model, SceneModel) or model.main not in scores:
        raise ValueError(
            f"{folder / SCENES} must belong to the run beside it; it belongs to another one. Fine-tune again."
        )
    log.info("reading %s, which %s names", options.test or data, folder / SCENES)
    _, test = scene_parts(data, options, masks=model.reads_masks)
    if test.fingerprint() != fingerprint:
        raise ValueError(
            "the scenes must be those that were judged; they have changed since, so that the scores are of others. "
            "Fine-tune again."
        )
    written = write_scene_report(
        folder / REPORT,
        model,
        test,
        scores,
        title=title or folder.resolve().name,
        seconds=seconds,
        command=command,
    )
    print_scores(scores, test, main=model.main)
    print(f"written: {shown(written)}")


def print_scores(scores: Mapping[str, Mapping[str, float]], test: "Scenes", *, main: str) -> None:
    """Print scores as those of other tasks are printed."""
    found = {name: of["score"] for name, of in scores.items()}
    sure = {name: (of["low"], of["high"]) for name, of in scores.items() if "low" in of}
    usual = {USUAL: {name: of["usual"] for name, of in scores.items()}}
    print_beside(f"of {len(test):,} test scenes", found, sure, usual, main=main)


def _with_fields(fields: type[Any]) -> type[Any]:
    """The command's options, and the fields of a model among them."""
    lent = Annotated[fields, tyro.conf.arg(name="")]  # type: ignore[valid-type]
    members: list[Any] = [("options", lent, dataclasses.field(default_factory=fields))]
    return dataclasses.make_dataclass("FineTune", members, bases=(SceneOptions,), kw_only=True)
