"""`replearn predict RUN DATA`: what a model that has learned a task says of each sample, as a table."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from replearn.cli.options import Flag, parse
from replearn.cli.samples import DataOptions, load_samples, short_name

if TYPE_CHECKING:
    import pandas as pd

    from replearn.data import Samples

log = logging.getLogger("replearn")

SUFFIXES = (".csv", ".parquet")
MOST, FEW = 12, 5  # classes that are printed, and of those that are unknown


@dataclass(kw_only=True)
class PredictOptions(DataOptions):
    """Write what RUN answers about every sample of DATA, with or without labels.

    RUN has learned to answer: by `finetune` (classes or numbers), or by `fit` of a method with labels (supervised,
    fixmatch, multitask, ...). Columns: `index`, `file` (of files), `label` (where DATA have any), `answer` and, of
    classes, `confidence`: the probability of the answer, as the network says it. Of several targets, each has columns
    of its own: `answer NAME`, `confidence NAME`.

    Attributes:
        run: folder that `finetune` or `fit` wrote.
        data: built-in name or path.
        out: .csv or .parquet file; RUN/DATA-answers.csv if not given.
        probabilities: a column for each class, too.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    out: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    probabilities: Flag = False


def run(args: list[str]) -> None:
    """The command."""
    options = parse(PredictOptions, args, command="predict")
    import pandas as pd

    from replearn.cli.runs import described, load_run, minutes, shown
    from replearn.data.progress import progress
    from replearn.engine.run import make_run, replacing
    from replearn.transfer.answers import answer_table, check_answers

    out = Path(options.out or Path(options.run) / f"{short_name(options.data)}-answers.csv")
    if out.suffix not in SUFFIXES:
        raise ValueError(f"--out must end in {' or '.join(SUFFIXES)}; got {str(out)!r}. Rename it.")
    if options.out and out.exists():
        raise ValueError(f"--out must be a new file; {out} exists. Delete it, or choose another name.")
    model = load_run(options.run)
    check_answers(model)
    make_run(out.parent)
    samples = load_samples(options.data, options, like=described(options.run))
    began, parts = time.monotonic(), []
    with progress("answering", len(samples)) as move:
        for part in answer_table(model, samples, probabilities=options.probabilities):
            parts.append(part)
            move(len(part))
    answers = pd.concat(parts, ignore_index=True)
    replaced = " (in place of earlier ones)" if out.exists() else ""
    table = pd.concat([beside(samples), answers], axis=1)
    with replacing(out) as place:
        if out.suffix == ".csv":
            table.to_csv(place, index=False, errors="replace")
        else:
            table.to_parquet(place, index=False)
    for line in told(answers, samples, model):
        print(line)
    print(f"{shown(out)}: {len(samples):,} answers{replaced}, {minutes(time.monotonic() - began)}")


def beside(samples: "Samples") -> "pd.DataFrame":
    """What is known of samples: `index`, `file` and `label`, where there are any."""
    import numpy as np
    import pandas as pd

    from replearn.data.records import shown_name

    columns: dict[str, Any] = {"index": np.arange(len(samples))}
    if samples.names is not None:
        columns["file"] = [shown_name(name) for name in samples.names]
    if samples.labels is not None:
        columns["label"] = _labels(samples)
    return pd.DataFrame(columns)


def told(answers: "pd.DataFrame", samples: "Samples", model: Any) -> list[str]:
    """How often each class was answered, and how many samples with a label were answered so; 80 columns."""
    import pandas as pd

    if "confidence" not in answers:
        return []
    counts = answers["answer"].value_counts()
    lines = [f"{count:>8,}  {name!s:.60}" for name, count in counts.head(MOST).items()]
    if len(counts) > MOST:
        lines.append(f"{counts.iloc[MOST:].sum():>8,}  of {len(counts) - MOST:,} more classes")
    labels = pd.Series(_labels(samples) if samples.labels is not None else [], dtype=object)
    known = labels.notna()
    if known.any():
        same = (labels[known] == answers["answer"][known].astype(str)).sum()
        lines.append(
            f"of {known.sum():,} samples with a label {same:,} are answered so; where RUN has learned from\n"
            "some of them, this is not how good it is on others"
        )
        unknown = sorted({*labels[known]} - {str(name) for name in model.classes_})
        if unknown:
            first = ", ".join(unknown[:FEW]) + (", ..." if len(unknown) > FEW else "")
            lines.append(f"{len(unknown):,} labels that RUN has not learned, never answered: {first}")
    return lines


def _labels(samples: "Samples") -> list[str | None]:
    assert samples.labels is not None
    return [samples.classes[label] if label >= 0 else None for label in samples.labels]
