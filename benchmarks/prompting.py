"""Few-shot prompting: what a language model makes of labelled examples that it only reads, by their number.

    python benchmarks/prompting.py --data FOLDER                        a GPT from scratch; three seeds
    python benchmarks/prompting.py --data FOLDER --encoder hf:FOLDER    and a causal language model in a folder

`--data` holds banking77_train.csv and banking77_test.csv. Asked is for the intents of questions: every eighth of the
77 by name, ten in all, the first ten questions of each in the test part. Examples are drawn from the training part,
anew for each question, whatever their intents; the seed draws them, and is that of training. The GPT from scratch
learned from the questions of the training part (no labels) and from `python-manual`. Each row is a process of its own.
Results: `benchmarks/results/prompting.json` and `.md`; a row that lies there is not measured again (--again does).
"""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import rows
from record import machine

SCRATCH, GIVEN = "GPT from scratch", "given model"
EVERY, PER_INTENT = 8, 10
SHOTS = (0, 1, 4, 10)
TEMPLATE = "Question: {text}\nTopic: {answer}"
RECIPE = {"vocabulary": 2048, "window": 256, "epochs": 10}
MEASURES = ("likelihood", "likelihood gained")


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    kinds = asked.what or [SCRATCH, *([GIVEN] if asked.encoder else [])]
    wanted = ({"what": what, "seed": seed} for seed in asked.seeds for what in kinds)
    return rows.main(asked, measure, wanted, command, markdown, key=("what", "seed"))


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("what", nargs="*", choices=[[], SCRATCH, GIVEN], help="none: all")
    parser.add_argument("--data", type=Path, required=True, help="folder of the files")
    parser.add_argument("--encoder", help="hf:FOLDER, of a causal language model")
    return parser.parse_args()


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {"encoder": asked.encoder} if asked.encoder else {}
    return rows.command_line(__file__, wanted["what"], seeds=wanted["seed"], data=asked.data, **given)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: learn or load, then ask."""
    from replearn.evaluate import few_shot

    (what,), (seed,) = asked.what, asked.seeds
    train, test = (pd.read_csv(asked.data / f"banking77_{part}.csv") for part in ("train", "test"))
    intents = sorted(test["label"].unique())[::EVERY]
    asked_for = test.groupby("label", sort=True).head(PER_INTENT)
    (examples, labels), (texts, truth) = (known(part, intents) for part in (train, asked_for))
    begun = time.process_time()
    model = language_model(what, seed, asked, [*train["text"]])
    ready = time.process_time()
    found = few_shot(
        model, examples, labels, texts, truth, answers=[name.replace("_", " ").lower() for name in intents],
        template=TEMPLATE, shots=SHOTS, draws=1, random_state=seed,
    )  # fmt: skip
    told = {f"{line['measure']}, {line['shots']}": float(line["mean"]) for line in found.to_dict("records")}
    spent = {
        "CPU minutes of learning": (ready - begun) / 60,
        "CPU minutes of asking": (time.process_time() - ready) / 60,
    }
    return (
        told
        | spent
        | {"texts": len(texts), "read whole": float(found["in context"].min()), "machine": machine()}
    )


def known(table: pd.DataFrame, intents: list[str]) -> tuple[list[str], Any]:
    """Questions of these intents, and which it is."""
    part = table[table["label"].isin(intents)]
    return [*part["text"]], part["label"].map(intents.index).to_numpy()


def language_model(what: str, seed: int, asked: argparse.Namespace, questions: list[str]) -> Any:
    """A GPT that has learned."""
    from replearn import load_data
    from replearn.methods import GPT

    if what == GIVEN:
        return GPT(encoder=asked.encoder).prepare(questions)
    return GPT(random_state=seed, **RECIPE).fit(
        [*load_data("python-manual", split="train").texts, *questions]
    )


def markdown(found: list[dict[str, Any]]) -> str:
    """Means over seeds."""
    table, lines = pd.DataFrame(found), []
    for what in (SCRATCH, GIVEN):
        part = table[table["what"] == what]
        for name in MEASURES if len(part) else ():
            cells = [rows.cell(part[f"{name}, {k}"], spread=True, percent=True) for k in SHOTS]
            lines.append([what, str(len(part)), name, *cells])
    texts, chance = found[-1]["texts"], 100 * PER_INTENT / found[-1]["texts"]
    told = [
        "",
        f"Accuracy (percent) on {texts} questions by the number of examples in the prompt; chance is {chance:.0f}.",
        "Nothing is trained on labels. Taken is the answer that is likeliest behind the prompt, or that gains most",
        "likelihood by standing there.",
    ]
    head = ["language model", "seeds", "by", *(f"{k} example{'s' * (k != 1)}" for k in SHOTS)]
    program = "python benchmarks/prompting.py --data FOLDER --encoder hf:FOLDER"
    return rows.page(
        "Few-shot prompting",
        program,
        told,
        rows.table(head, lines),
        rows.used_by(row["machine"] for row in found),
    )


if __name__ == "__main__":
    sys.exit(main())
