"""`replearn zeroshot RUN DATA`: tell samples apart by what their classes are called, without a label."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from replearn.cli.options import parse
from replearn.cli.samples import DataOptions, load_samples, was_fitted_on

log = logging.getLogger("replearn")

FEW = 16  # images by which a network that was given is tried


@dataclass(kw_only=True)
class ZeroShotOptions(DataOptions):
    """Classify DATA by what classes are called: each sample is of the class whose name it is most like in RUN.

    Prints the accuracy where DATA have labels; --out writes a line for each sample. RUN is one of clip.

    Attributes:
        run: folder that `fit clip` wrote, or hf:FOLDER, a CLIP or SigLIP of the Hugging Face libraries, for images.
        data: built-in name or path, of samples of one member's kind (images, say), or of pairs.
        classes: their names, each in quotes where it has spaces; or a text file with one a line. If not given, those of
            DATA's labels, in small letters.
        templates: of prompts, with {} for the name: "a photo of a {}"; a class is the mean of its prompts.
        of: the member that is classified, where several might be.
        by: the member of texts that names are read as, where there are several.
        out: CSV file for the class of each sample and its probability: among the classes, or, where RUN pairs by a
            sigmoid, that sample and name belong together.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    classes: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME...|FILE")] = ()
    templates: Annotated[tuple[str, ...], tyro.conf.arg(metavar="TEXT...")] = ("{}",)
    of: Annotated[str | None, tyro.conf.arg(metavar="MEMBER")] = None
    by: Annotated[str | None, tyro.conf.arg(metavar="MEMBER")] = None
    out: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None


def run(args: list[str]) -> None:
    """The command."""
    options = parse(ZeroShotOptions, args, command="zeroshot")
    import numpy as np

    from replearn.cli.runs import held
    from replearn.encoders import FOLDER
    from replearn.engine.run import make_run

    if options.out is not None:
        make_run(Path(options.out).parent)
    with held(options.run):
        method, like = _given(options) if options.run.startswith(FOLDER) else _learned(options)
        samples, of, seen = _of_one_member(options, like)
        names = _names(options, samples)
        found = method.classify(samples, names, templates=options.templates, of=of, by=options.by)  # (n, k)
    best = found.argmax(1)
    if options.out is not None:
        _write(Path(options.out), samples, names, best, found)
    labels = samples.labels
    known = np.zeros(len(samples), bool) if labels is None else labels >= 0
    places = {name.lower(): number for number, name in enumerate(names)}
    own = [places.get(name.lower()) for name in samples.classes]
    if known.any() and all(place is not None for place in own):
        right = np.array([own[label] for label in labels[known]]) == best[known]
        majority = np.bincount(labels[known]).max() / known.sum()
        if seen:
            log.warning(
                "RUN was fitted on these %s samples: the accuracy is that of training", f"{known.sum():,}"
            )
        print(
            f"{100 * right.mean():.1f} % of {known.sum():,} samples are of the class whose name they are most like\n"
            f"  (the largest class alone: {100 * majority:.1f} %; {len(names)} classes)"
        )
    elif known.any():
        unlike = [name for name, place in zip(samples.classes, own, strict=True) if place is None]
        print(f"no accuracy: {', '.join(unlike[:3])} are labels of DATA, but none of the classes")
    counts = np.bincount(best, minlength=len(names))
    for number in np.argsort(-counts, kind="stable"):
        print(f"  {counts[number]:>6,} {names[number]}")
    if options.out is not None:
        print(f"written: {options.out}")


def _learned(options: ZeroShotOptions) -> tuple[Any, Any]:
    """The method of a run, and the description of what it learned from."""
    from replearn.cli.runs import described, load_run
    from replearn.methods import CLIP

    method = load_run(options.run)
    if not isinstance(method, CLIP):
        raise ValueError(f"RUN must be one of clip; {options.run} is one of {type(method).__name__}.")
    return method, described(options.run)


def _given(options: ZeroShotOptions) -> tuple[Any, Any]:
    """The CLIP in a folder, for images like DATA; and their description beside that of texts."""
    import numpy as np

    from replearn.data import as_samples
    from replearn.methods import CLIP

    samples = load_samples(options.data, options)
    few = samples.subset(np.arange(min(FEW, len(samples))))
    texts = [f"{number}" for number in range(len(few))]
    method = CLIP(encoder=options.run).prepare(as_samples({"image": few, "text": texts}))
    return method, method.samples_


def _of_one_member(options: ZeroShotOptions, like: Any) -> tuple[Any, str, bool]:
    """The samples that are classified, which member they are, and whether RUN was fitted on them."""
    import numpy as np

    from replearn.data.kinds import KINDS, WORDS

    told = [name for name, part in like.members.items() if WORDS not in KINDS[part.kind].offers]
    of: str = options.of or (told[0] if len(told) == 1 else "")
    if of not in like.members:
        raise ValueError(f"--of must name one of the members {', '.join(like.members)}; got {of or 'none'}.")
    whole = load_samples(options.data, options, like=like.members[of])
    if of not in whole.members:
        return whole, of, was_fitted_on(like.members[of], whole)
    part = whole.members[of].subset(np.arange(len(whole)))
    part.labels, part.classes, part.names = whole.labels, whole.classes, whole.names
    return part, of, was_fitted_on(like, whole)


def _names(options: ZeroShotOptions, samples: Any) -> list[str]:
    given = list(options.classes)
    if len(given) == 1:
        path = Path(given[0]).expanduser()
        if not path.is_file():
            raise ValueError(
                f"--classes must be two names or more, or a text file of them; got {given[0]!r} alone."
            )
        given = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        given = [line for line in given if line]
    elif not given:
        given = [name.lower() for name in samples.classes]
        if len(given) < 2:
            raise ValueError("--classes must name them, since DATA have no labels. Write two names or more.")
    return given


def _write(path: Path, samples: Any, names: list[str], best: Any, found: Any) -> None:
    import pandas as pd

    rows = {"class": [names[number] for number in best], "probability": found.max(1).round(6)}
    first = {} if samples.names is None else {"file": list(samples.names)}
    pd.DataFrame(first | rows).to_csv(path, index=False)
