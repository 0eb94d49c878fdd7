"""Sentences that people find alike: how well cosines of texts' vectors follow their scores, with no label at all.

    python benchmarks/relatedness.py --data FOLDER                        what is learned from little text; three seeds
    python benchmarks/relatedness.py --data FOLDER --encoder hf:FOLDER    and what a given encoder tells

`--data` holds sick.tsv and banking77_train.csv. All learn from the same texts, without scores or labels: the training
part of `python-manual`, the questions of banking77's training part, and the sentences of SICK's training part. SimCSE
learns from the sentences of the last two only, as texts of the length that is judged. Its epochs and learning rate are
those that were best after BERT on SICK's development part, of `TRIED`, by seed 10: --choose repeats that. Judged is
SICK's test part. Each row is a process of its own. Results: `benchmarks/results/relatedness.json` and `.md`; a row that
lies there is not measured again (--again does).
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rows
from masked import RECIPE, bag_of_tokens, banking
from record import machine

GIVEN = "given encoder"
THEN = ", then SimCSE"
LEARNED = ("bag of tokens", "Word2Vec", "untrained", "untrained" + THEN, "BERT", "BERT" + THEN)
WITH_GIVEN = (GIVEN, GIVEN + THEN)
SCRATCH = {"epochs": 1, "learning_rate": 3e-4}  # of SimCSE, where the encoder learned from these texts only
GENTLE = {"epochs": 1, "learning_rate": 3e-5}  # where it learned elsewhere
TRIED = (
    SCRATCH,
    *(
        {"epochs": epochs, "learning_rate": rate}
        for epochs, rate in ((1, 1e-4), (1, 1e-3), (3, 1e-4), (3, 3e-4))
    ),
)
CHOOSING = 10  # the seed of that


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    kinds = [*LEARNED, *(WITH_GIVEN if asked.encoder else ())]
    if asked.choose:
        for what in (kind for kind in kinds if kind.endswith(THEN)):
            for settings in (GENTLE,) if what.startswith(GIVEN) else TRIED:
                print(what, settings, choice(asked, what, settings), flush=True)
        return 0
    wanted = (
        {"what": what, "seed": seed}
        for seed in asked.seeds
        for what in asked.what or kinds
        if seed == asked.seeds[0] or what not in (LEARNED[0], GIVEN)  # which have no seed
    )
    return rows.main(asked, measure, wanted, command, markdown, key=("what", "seed"))


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("what", nargs="*", choices=[[], *LEARNED, *WITH_GIVEN], help="none: all")
    parser.add_argument("--data", type=Path, required=True, help="folder of the files")
    parser.add_argument("--encoder", help="hf:FOLDER")
    parser.add_argument(
        "--choose", action="store_true", help="try settings of SimCSE on the development part"
    )
    return parser.parse_args()


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {"encoder": asked.encoder} if asked.encoder else {}
    return rows.command_line(__file__, wanted["what"], seeds=wanted["seed"], data=asked.data, **given)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: learn, judge on the test part."""
    (what,), (seed,) = asked.what, asked.seeds
    begun, clock = time.process_time(), time.monotonic()
    represent = learned(what, seed, asked, GENTLE if what.startswith(GIVEN) else SCRATCH)
    spent = {"CPU minutes": (time.process_time() - begun) / 60, "minutes": (time.monotonic() - clock) / 60}
    return spent | judged(represent, asked.data, "test") | {"machine": machine()}


def choice(asked: argparse.Namespace, what: str, settings: Mapping[str, Any]) -> float:
    """Spearman's correlation on the development part after SimCSE by these settings."""
    return judged(learned(what, CHOOSING, asked, settings), asked.data, "dev")["spearman"]


def learned(
    what: str, seed: int, asked: argparse.Namespace, settings: Mapping[str, Any]
) -> Callable[[list[str]], np.ndarray]:
    """What turns texts into vectors, after it learned from texts."""
    from replearn import as_samples
    from replearn.methods import BERT, SimCSE, Word2Vec

    corpus, sentences = texts(asked.data)
    first = what.removesuffix(THEN)
    if first == "bag of tokens":
        tokenizer = BERT().reading(corpus).tokenizer
        return lambda some: bag_of_tokens(tokenizer, as_samples(some))
    if first == "Word2Vec":
        return Word2Vec(random_state=seed, epochs=20).fit(corpus).transform
    if first == GIVEN:
        method = SimCSE(encoder=asked.encoder, random_state=seed, **settings)
        return (method.fit(sentences) if what.endswith(THEN) else method.prepare(sentences)).transform
    bert = reader(first, seed, asked.data)
    if not what.endswith(THEN):
        return bert.transform
    return SimCSE(encoder=bert.encoder_, random_state=seed, **settings).fit(sentences).transform


@cache
def reader(what: str, seed: int, folder: Path) -> Any:
    """A BERT that learned from all texts, or an untrained one."""
    from replearn.methods import BERT

    corpus, _ = texts(folder)
    bert = BERT(random_state=seed, **RECIPE)
    return bert.fit(corpus) if what == "BERT" else bert.prepare(corpus)


def texts(folder: Path) -> tuple[Any, Any]:
    """All that is learned from, and the single sentences among it."""
    from replearn import as_samples, load_data

    pairs, _ = scored(folder, "train")
    sick = sorted({sentence for pair in pairs for sentence in pair})
    sentences = [*banking(folder / "banking77_train.csv").texts, *sick]
    manual = load_data("python-manual", split="train").texts
    return as_samples([*manual, *sentences]), as_samples(sentences)


def scored(folder: Path, part: str) -> tuple[list[tuple[str, str]], np.ndarray]:
    """A part of SICK: pairs and people's scores."""
    table = pd.read_csv(folder / "sick.tsv", sep="\t", quoting=3)
    table = table[table["split"] == part]
    pairs = list(zip(table["sentence_a"], table["sentence_b"], strict=True))
    return pairs, table["relatedness"].to_numpy(dtype=float)


def judged(represent: Callable[[list[str]], np.ndarray], folder: Path, part: str) -> dict[str, Any]:
    """How cosines follow scores."""
    from replearn.evaluate import relatedness

    pairs, scores = scored(folder, part)
    a, b = (represent([pair[side] for pair in pairs]) for side in range(2))
    return relatedness(a, b, scores) | {"pairs": len(pairs)}


def markdown(found: list[dict[str, Any]]) -> str:
    """Means over seeds."""
    table, lines = pd.DataFrame(found), []
    columns = ("spearman", "pearson", "CPU minutes")
    for what in (*LEARNED, *WITH_GIVEN):
        part = table[table["what"] == what]
        if len(part):
            cells = [rows.cell(part[name], spread=True, percent=name != "CPU minutes") for name in columns]
            lines.append([what, str(len(part)), *cells])
    told = [
        "",
        f"Correlation (percent) of cosines with people's scores of {found[-1]['pairs']:,} pairs of SICK's test part.",
        "Minutes are of learning, from nothing; the given encoder had learned elsewhere before.",
    ]
    return rows.page(
        "Sentences that people find alike",
        "python benchmarks/relatedness.py --data FOLDER --encoder hf:FOLDER",
        told,
        rows.table(["vectors of texts", "seeds", "Spearman", "Pearson", "CPU minutes"], lines),
        rows.used_by(row["machine"] for row in found),
    )


if __name__ == "__main__":
    sys.exit(main())
