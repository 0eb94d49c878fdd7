"""Four tasks by one pre-trained encoder of texts: frozen, its last two layers trained, all of it trained.

    python benchmarks/finetune.py --encoder hf:FOLDER --data FOLDER             every row, three seeds
    python benchmarks/finetune.py banking77 --encoder hf:FOLDER --data FOLDER --labels 5 --trained frozen 2

`--data` holds banking77_{train,test}.csv, sick.tsv, wnut17_{train,test}.conll and restaurants8k_{train,test}.jsonl.
banking77 has so many labels per class, the others so many training samples; the test part is the whole one, or 1,000 of
it drawn by seed 0 (--test 0: the whole). No number was chosen by a test part: all have the same learning rates (head
1e-3, encoder a tenth of it) and batches of 16; the last epoch is judged. Each row is a process of its own. Results:
`benchmarks/results/finetune.json` and `.md`; a row that lies there is not measured again (--again does).
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rows
from record import machine

LABELS = {"banking77": (1, 3, 5, 10, 20), "sick": (500,), "wnut17": (500,), "restaurants8k": (500,)}
TASKS = {"banking77": "classify", "sick": "pair", "wnut17": "tag", "restaurants8k": "span"}
EPOCHS = {"banking77": 15, "sick": 8, "wnut17": 10, "restaurants8k": 10}  # where the encoder learns
FROZEN_EPOCHS = 50  # features are computed once, so they cost little
LENGTH = {"banking77": 48, "sick": 64, "wnut17": 64, "restaurants8k": 48}
COSINE = "nothing: cosine"  # of the two texts' representations, for pairs
TRAINED = (COSINE, "frozen", "2", "full")
SHOWN = ("accuracy", "macro_f1", "pearson", "spearman", "r2", "entity_f1", "f1", "seconds")
DEAREST = 10  # labels per class up to which banking77's encoder is trained


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    wanted = (
        {"data": data, "labels": labels, "trained": trained, "pairs": pairs, "seed": seed}
        for seed in asked.seeds
        for data in asked.data_sets or LABELS
        for labels in asked.labels or LABELS[data]
        for trained in asked.trained or TRAINED
        for pairs in (asked.pairs if data == "sick" else [""])
        if asked.trained or trained in (COSINE, "frozen") or data != "banking77" or 5 <= labels <= DEAREST
        if trained != COSINE or pairs == "apart"
    )
    return rows.main(
        asked, measure, wanted, command, markdown, key=("data", "labels", "trained", "pairs", "seed")
    )


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("data_sets", nargs="*", choices=[[], *LABELS], help="none: all")
    parser.add_argument("--encoder", required=True, help="hf:FOLDER, a run folder or a name")
    parser.add_argument("--data", type=Path, required=True, help="folder of the files")
    parser.add_argument("--labels", type=int, nargs="+", help="per class, or training samples")
    parser.add_argument("--trained", nargs="+", help="frozen, full, or a number of layers")
    parser.add_argument("--pairs", nargs="+", default=["joined", "apart"], choices=["joined", "apart", ""])
    parser.add_argument("--test", type=int, default=1000, help="test samples at most; 0: all")
    return parser.parse_args()


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    told = {name: wanted[name] for name in ("labels", "trained", "pairs")}
    fixed = {"encoder": asked.encoder, "data": asked.data, "test": asked.test}
    return rows.command_line(__file__, wanted["data"], seeds=wanted["seed"], **told, **fixed)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: fine-tune, judge."""
    import torch

    from replearn.transfer import FineTune

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    (data,), (labels,), (trained,), (seed,) = asked.data_sets, asked.labels, asked.trained, asked.seeds
    train, test = parts(data, asked.data)
    rng = np.random.default_rng(seed)
    train = of_each_class(*train, labels, rng) if data == "banking77" else some(*train, labels, rng)
    test = some(*test, asked.test or len(test[0]), np.random.default_rng(0))
    told = {
        "test": len(test[0]),
        "encoder": Path(asked.encoder.removeprefix("hf:")).name,
        "machine": machine(),
    }
    if trained == COSINE:
        return cosine(asked.encoder, *test) | told | {"train": 0}
    model = FineTune(
        encoder=asked.encoder,
        task=TASKS[data],
        trained=int(trained) if trained.isdigit() else trained,
        encoder_rate=0.1,
        pairs=asked.pairs[0] or "auto",
        length=LENGTH[data],
        epochs=FROZEN_EPOCHS if trained == "frozen" else EPOCHS[data],
        random_state=seed,
    )
    start = time.perf_counter()
    model.fit(*train)
    seconds = time.perf_counter() - start
    found = model.scores(*test)
    return found | told | {"train": len(train[0]), "epochs": model.epochs, "seconds": seconds}


def cosine(encoder: str, pairs: list[tuple[str, str]], scores: list[float]) -> dict[str, float]:
    """How well cosines follow the scores of pairs, by an encoder as it is given."""
    from replearn import SimCSE
    from replearn.evaluate import relatedness

    a, b = ([pair[side] for pair in pairs] for side in range(2))
    given = SimCSE(encoder=encoder).prepare(a)
    return relatedness(given.transform(a), given.transform(b), np.array(scores))


def parts(data: str, folder: Path) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Training and test part: samples and answers."""
    from replearn.data.tasks import read_pairs, read_spans, read_tags

    if data == "banking77":
        tables = [pd.read_csv(folder / f"banking77_{part}.csv") for part in ("train", "test")]
        train, test = ((list(table["text"]), list(table["label"])) for table in tables)
        return train, test
    if data == "sick":
        split = pd.read_csv(folder / "sick.tsv", sep="\t", quoting=3)["split"]
        a, b, target = read_pairs(folder / "sick.tsv", target="relatedness")
        pairs = list(zip(a, b, strict=True))
        where = [np.flatnonzero(split == part) for part in ("train", "test")]
        train, test = (([pairs[i] for i in rows], [float(target[i]) for i in rows]) for rows in where)
        return train, test
    if data == "wnut17":
        return read_tags(folder / "wnut17_train.conll"), read_tags(folder / "wnut17_test.conll")
    return read_spans(folder / "restaurants8k_train.jsonl"), read_spans(folder / "restaurants8k_test.jsonl")


def some(samples: list[Any], answers: list[Any], number: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """So many samples, drawn at random."""
    chosen = np.sort(rng.permutation(len(samples))[:number])
    return [samples[i] for i in chosen], [answers[i] for i in chosen]


def of_each_class(
    samples: list[Any], answers: list[Any], number: int, rng: np.random.Generator
) -> tuple[Any, Any]:
    """So many samples of each class, drawn at random."""
    labels = np.array(answers)
    chosen = np.concatenate(
        [rng.permutation(np.flatnonzero(labels == label))[:number] for label in np.unique(labels)]
    )
    return [samples[i] for i in chosen], [answers[i] for i in chosen]


def markdown(found: list[dict[str, Any]]) -> str:
    """All rows, means over seeds."""
    table = pd.DataFrame(found)
    for name in SHOWN:
        table[name] = table.get(name, np.nan)
    table["trained"] = table["trained"].astype(str).replace({"2": "last 2 layers"})
    lines = []
    order = {name: at for at, name in enumerate((COSINE, "frozen", "last 2 layers", "full"))}
    grouped = table.groupby(["data", "labels", "pairs", "trained"], sort=False)
    keys = sorted(
        grouped.groups, key=lambda key: (list(LABELS).index(key[0]), key[1], key[2], order.get(key[3], 9))
    )
    for key in keys:
        part = grouped.get_group(key)
        cells = [rows.cell(part[name], spread=True) for name in SHOWN]
        size = f"{int(part['train'].iloc[0]):,} / {int(part['test'].iloc[0]):,}"
        head = " ".join(filter(None, (key[0], key[2])))
        lines.append([head, str(key[1]), key[3], size, str(part["seed"].nunique()), *cells])
    head = ["data", "labels", "trained", "train / test", "seeds", *SHOWN]
    told = [
        "",
        f"Encoder: {found[-1]['encoder']}. banking77: labels per class; others: training samples. Pairs of SICK are",
        "read joined in one row, or apart. Seconds are of training, by one thread; the machine did other work besides.",
    ]
    return rows.page(
        "One encoder, four tasks",
        "python benchmarks/finetune.py --encoder hf:FOLDER --data FOLDER",
        told,
        rows.table(head, lines),
        rows.used_by(row["machine"] for row in found),
    )


if __name__ == "__main__":
    sys.exit(main())
