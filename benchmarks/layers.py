"""Which layer of a pre-trained encoder of texts knows parts of speech, names and topics?

    python benchmarks/layers.py --encoder hf:FOLDER --data FOLDER             every task, seeds 0, 1 and 2
    python benchmarks/layers.py topic --encoder hf:FOLDER --data FOLDER --seeds 0

`--data` holds pud.conllu, wnut17_{train,test}.conll and banking77_{train,test}.csv. A linear probe per layer: of each
word's state for its part of speech (PUD, other documents in the test part) and for the type of the name it belongs to
(WNUT-17, words of names only), each beside a control task, labels drawn for each word form; and of the mean state of
each text for its intent (banking77, 10 texts per class). The encoder learns nothing. A seed draws the training part (of
WNUT-17 it is the whole), the control's labels and the probes' split. Results: `benchmarks/results/layers.json` and
`.md`; a row that lies there is not measured again (--again does).
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rows
from record import machine

TASKS = ("part of speech", "type of name", "topic")
SENTENCES = 300  # of PUD's training part
PER_CLASS = 10
TEXTS = 1000  # of banking77's test part


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    wanted = ({"task": task, "seed": seed} for task in asked.tasks or TASKS for seed in asked.seeds)
    return rows.main(asked, measure, wanted, command, markdown, key=("task", "seed"))


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("tasks", nargs="*", choices=[[], *TASKS], help="none: all")
    parser.add_argument("--encoder", required=True, help="hf:FOLDER")
    parser.add_argument("--data", type=Path, required=True, help="folder of the files")
    return parser.parse_args()


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {"seeds": wanted["seed"], "encoder": asked.encoder, "data": asked.data}
    return rows.command_line(__file__, wanted["task"], **given)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: what each layer tells of a task."""
    from replearn import as_samples
    from replearn.encoders import make_encoder
    from replearn.evaluate import layer_knowledge

    (task,), (seed,) = asked.tasks, asked.seeds
    encoder, rng = make_encoder(asked.encoder, as_samples(["a text"])), np.random.default_rng(seed)
    if task == "topic":
        (train, own), (test, other) = topics(encoder, asked.data, rng)
        types = {}
    else:
        pos = task == "part of speech"
        parts = parts_of_speech(encoder, asked.data, rng) if pos else names(encoder, asked.data)
        (train, own, forms), (test, other, unseen) = parts
        types = {"train_types": forms, "test_types": unseen}
    classes = {name: at for at, name in enumerate(sorted({*own, *other}))}
    labels = [np.array([classes[name] for name in part]) for part in (own, other)]
    found = layer_knowledge(train, labels[0], test, labels[1], random_state=seed, **types)
    columns = found[["accuracy", "control", "selectivity"]]
    told = {name: [None if np.isnan(x) else x for x in column] for name, column in columns.items()}
    size = {"train": len(own), "test": len(other), "classes": len(classes)}
    majority = float(found["majority"].iloc[0])
    name = Path(asked.encoder.removeprefix("hf:")).name
    return told | size | {"majority": majority, "encoder": name, "machine": machine()}


def parts_of_speech(encoder: Any, folder: Path, rng: np.random.Generator) -> Any:
    """Words of PUD: the last fifth of its documents is the test part."""
    from replearn.data.tasks import read_tags

    words, tags = read_tags(folder / "pud.conllu")
    first = 4 * len(words) // 5
    while first < len(words) and not begins_document(folder / "pud.conllu", first):
        first += 1
    chosen = np.sort(rng.permutation(first)[:SENTENCES])
    train = [words[i] for i in chosen], [tags[i] for i in chosen]
    return told_words(encoder, *train), told_words(encoder, words[first:], tags[first:])


def begins_document(path: Path, sentence: int) -> bool:
    """Whether a sentence is the first of its document."""
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    return "# newdoc" in blocks[sentence]


def names(encoder: Any, folder: Path) -> Any:
    """Words of WNUT-17 within names, and the type of the name."""
    from replearn.data.tasks import read_tags

    found = []
    for part in ("train", "test"):
        words, tags = read_tags(folder / f"wnut17_{part}.conll")
        some = [i for i, row in enumerate(tags) if any(tag != "O" for tag in row)]
        states, labels, forms = told_words(encoder, [words[i] for i in some], [tags[i] for i in some])
        inside = np.array([label != "O" for label in labels])
        kept = np.flatnonzero(inside)
        types = [labels[i].partition("-")[2] for i in kept]
        found.append(([layer[kept] for layer in states], types, [forms[i] for i in kept]))
    return tuple(found)


def told_words(encoder: Any, words: Sequence[Sequence[str]], tags: Sequence[Sequence[str]]) -> Any:
    """Layers' states of all words, their tags, and the words as they are written."""
    from replearn.transfer import word_states

    states, seen = word_states(encoder, words)
    labels = [tag for row in tags for tag in row]
    forms = [word.lower() for row in words for word in row]
    kept = np.flatnonzero(seen)
    return states, [labels[i] for i in kept], [forms[i] for i in kept]


def topics(encoder: Any, folder: Path, rng: np.random.Generator) -> Any:
    """Texts of banking77: the mean state of each at each layer, and its intent."""
    import torch

    from replearn import as_samples
    from replearn.engine.embed import embed_parts
    from replearn.engine.machine import choose

    found = []
    for part, draw in (("train", rng), ("test", np.random.default_rng(0))):
        table = pd.read_csv(folder / f"banking77_{part}.csv")
        order = draw.permutation(len(table))
        rank = table["label"].iloc[order].groupby(table["label"].iloc[order]).cumcount().to_numpy()
        chosen = np.sort(order[rank < PER_CLASS] if part == "train" else order[:TEXTS])

        def layers(batch: Any) -> torch.Tensor:
            return torch.stack(encoder.layers(batch), 1)  # (n, l, d)

        samples = as_samples(table["text"].iloc[chosen].tolist())
        states = np.concatenate(
            [np.asarray(part) for part in embed_parts(layers, [encoder], samples, choose())]
        )
        found.append((list(states.swapaxes(0, 1)), table["label"].iloc[chosen].tolist()))
    return tuple(found)


def markdown(found: list[dict[str, Any]]) -> str:
    """A line per task and layer, means over seeds."""
    lines = []
    for task in TASKS:
        part = [row for row in found if row["task"] == task]
        if not part:
            continue
        size = f"{part[0]['train']:,} / {part[0]['test']:,}"
        columns = {
            name: np.array([row[name] for row in part], dtype=float)
            for name in ("accuracy", "control", "selectivity")
        }
        majority = np.mean([row["majority"] for row in part])
        for layer in range(columns["accuracy"].shape[1]):
            cells = [
                rows.cell(pd.Series(values[:, layer]), percent=True, spread=True)
                for values in columns.values()
            ]
            lines.append([task, size, str(len(part)), str(layer), *cells, f"{100 * majority:.1f}"])
    told = [
        "",
        f"Encoder: {found[-1]['encoder']}; layer 0 is what goes into the first. Accuracy in percent on the test part,",
        "± standard deviation over seeds. control: of the same probe on labels drawn for each word form, which no text",
        "tells; selectivity: accuracy less control. majority: of the most frequent label. Rows: words, or texts.",
    ]
    head = ["task", "train / test", "seeds", "layer", "accuracy", "control", "selectivity", "majority"]
    title, again = "What layers know", "python benchmarks/layers.py --encoder hf:FOLDER --data FOLDER"
    return rows.page(
        title, again, told, rows.table(head, lines), rows.used_by(row["machine"] for row in found)
    )


if __name__ == "__main__":
    sys.exit(main())
