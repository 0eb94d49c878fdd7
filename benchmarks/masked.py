"""Masked language models: tokens per second beside the Hugging Face Trainer, and what they learn from little text.

    python benchmarks/masked.py speed                   BERT-mini, same network, batch and tokens, in one run
    python benchmarks/masked.py learn --seeds 0 1 2     BERT and RoBERTa from scratch; frozen features, few labels
    python benchmarks/masked.py learn --bench FOLDER    with banking77_train.csv and banking77_test.csv in it

The Trainer needs the package accelerate. What is learned from: the training part of `python-manual`, and with --bench
the questions of banking77's training part. Results: `benchmarks/results/masked.json` and `masked.md`; a row that lies
there is not measured again (--again does).
"""

import argparse
import csv
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rows
import torch
from record import machine

RESULTS = Path(__file__).resolve().parent / "results" / "masked.json"
WINDOW, BATCH, STEPS, ROUNDS = 128, 32, 6, 3  # of the comparison of speed; its first round is not counted
BASELINES = ("bag of words", "bag of tokens", "untrained")
LEARNERS = ("bert", "roberta")
PER_CLASS, DRAWS = (5, 10), 5
# What is learned of context in little text: fewer kinds of tokens, more of them hidden at a time, nothing lost.
RECIPE = {
    "vocabulary": 2048, "window": 64, "batch_size": 16, "share": 0.4, "dropout": 0.0, "learning_rate": 7e-4,
    "epochs": 8,
}  # fmt: skip
KEY = ("part", "what", "seed")


def main() -> int:
    """Measure what is asked for and not there yet, and write after each row."""
    asked = parse()
    if asked.one:
        row = speed() if asked.part == "speed" else learn(asked.one, asked.seeds[0], asked.bench)
        print(json.dumps(row))
        return 0
    if asked.part == "speed":
        wanted = [{"part": "speed", "what": "bert_mini", "seed": 0}]
    else:
        kinds = (*BASELINES, *LEARNERS)
        wanted = [{"part": "learn", "what": what, "seed": seed} for seed in asked.seeds for what in kinds]
        wanted = [row for row in wanted if row["seed"] == 0 or row["what"] not in BASELINES[:2]]
    return int(rows.fill(RESULTS, wanted, command(asked.bench), markdown, key=KEY, again=asked.again) > 0)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=["speed", "learn"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--bench", type=Path, help="a folder with banking77's tables")
    parser.add_argument("--again", action="store_true", help="measure rows that are there once more")
    parser.add_argument("--one", help="measure this row here and print it as JSON")
    return parser.parse_args()


def command(bench: Path | None) -> Callable[[Mapping[str, Any]], Sequence[str]]:
    """What measures a row."""
    more = ["--bench", str(bench)] if bench else []
    return lambda row: [__file__, row["part"], "--one", row["what"], "--seeds", str(row["seed"]), *more]


# Speed.


def speed() -> dict[str, Any]:
    """Tokens per second of CPU time and of the clock, by turns: ours, the Trainer with its defaults, and in bfloat16.

    All train the same network (BertForMaskedLM's body and head, random weights, dropout 0.1) on the same windows in
    batches of the same size, on this process's threads.
    """
    from replearn import load_data
    from replearn.methods import BERT

    texts = load_data("python-manual", split="train")
    method = BERT(window=WINDOW, batch_size=BATCH, epochs=1)
    samples = method.reading(texts)
    method.prepare(samples)
    windows = method.training_samples(samples)
    ids = windows[np.arange(BATCH * STEPS) % len(windows)].x
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer = samples.tokenizer
        rivals = {
            "replearn": ours(method, windows),
            "Trainer": trainer(tokenizer, ids, Path(scratch), bf16=False),
            "Trainer, bf16": trainer(tokenizer, ids, Path(scratch), bf16=True),
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in rivals}
        for turn in range(ROUNDS):
            for name, run in rivals.items():
                began, clock = time.process_time(), time.monotonic()
                run()
                if turn:
                    found[name].append((time.process_time() - began, time.monotonic() - clock))
    tokens = BATCH * STEPS * WINDOW
    row: dict[str, Any] = {"machine": machine()}
    for name, times in found.items():
        row[f"{name}: tokens per CPU second"] = tokens / statistics.median(cpu for cpu, _ in times)
        row[f"{name}: tokens per second"] = tokens / statistics.median(clock for _, clock in times)
    return row


def ours(method: Any, windows: Any) -> Callable[[], None]:
    """Our training, over as many steps. It looks at its health once: the usual 40 looks are for thousands of steps."""
    from replearn.engine import train as engine

    engine.HEALTH_CHECKS = 1
    some = windows.subset(np.arange(BATCH * STEPS) % len(windows))
    return lambda: engine.train(method, some) and None


def trainer(tokenizer: Any, ids: torch.Tensor, scratch: Path, *, bf16: bool) -> Callable[[], None]:
    """The Hugging Face Trainer with its collator of masks, as its documentation has it."""
    from transformers import (
        BertConfig,
        BertForMaskedLM,
        DataCollatorForLanguageModeling,
        PreTrainedTokenizerFast,
        Trainer,
        TrainingArguments,
    )

    config = BertConfig(
        vocab_size=tokenizer.size, hidden_size=256, num_hidden_layers=4, num_attention_heads=4,
        intermediate_size=1024, attention_probs_dropout_prob=0.0, pad_token_id=tokenizer.special("[PAD]"),
    )  # fmt: skip
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer.inner, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]",
    )  # fmt: skip
    arguments = TrainingArguments(
        output_dir=str(scratch), per_device_train_batch_size=BATCH, max_steps=STEPS, use_cpu=True, bf16=bf16,
        report_to=[], save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    made = Trainer(
        model=BertForMaskedLM(config), args=arguments, train_dataset=[{"input_ids": row} for row in ids],
        data_collator=DataCollatorForLanguageModeling(fast),
    )  # fmt: skip
    return lambda: made.train() and None


# Learning.


def learn(what: str, seed: int, bench: Path | None) -> dict[str, Any]:
    """Train, or count words; then judge the frozen features by few labels."""
    from replearn import load_data
    from replearn.data import as_samples
    from replearn.methods import BERT, find_method

    tasks = {
        "python-manual": (load_data("python-manual", split="train"), load_data("python-manual", split="test"))
    }
    if bench:
        tasks["banking77"] = (banking(bench / "banking77_train.csv"), banking(bench / "banking77_test.csv"))
    corpus = as_samples([text for train, _ in tasks.values() for text in train.texts])
    row: dict[str, Any] = {"machine": machine(), "characters": sum(map(len, corpus.texts))}
    if what == "bag of words":
        represent: Callable[[Any], np.ndarray] = lambda samples: samples.flat()  # noqa: E731
    elif what == "bag of tokens":
        tokenizer = BERT().reading(corpus).tokenizer
        represent = lambda samples: bag_of_tokens(tokenizer, samples)  # noqa: E731
    elif what == "untrained":
        represent = BERT(random_state=seed).prepare(corpus).transform
    else:
        method = find_method(what).cls(random_state=seed, **RECIPE)
        began, clock = time.process_time(), time.monotonic()
        method.fit(corpus)
        row |= {
            "CPU minutes": (time.process_time() - began) / 60,
            "minutes": (time.monotonic() - clock) / 60,
            "steps": int(method.history_.rows[-1]["step"]),
            "alarms": [alarm.kind for alarm in method.history_.alarms],
            **held_out(method, corpus, tasks["python-manual"][1]),
        }
        represent = method.transform
    for name, (train, test) in tasks.items():
        row |= few_labels(name, represent(train), train.labels, represent(test), test.labels)
    return row


def held_out(method: Any, corpus: Any, test: Any) -> dict[str, float]:
    """Nats per token of texts that were not learned from: by the tokens' frequencies, and by the context."""
    from replearn.data import TokenWindows, token_stream

    tokenizer = method.encoder_.vocabulary.tokenizer
    counts = np.bincount(token_stream(corpus, tokenizer).ids, minlength=tokenizer.size) + 1.0
    windows = TokenWindows(token_stream(test, tokenizer), method.window)
    torch.manual_seed(0)
    with torch.inference_mode():
        parts = np.array_split(np.arange(len(windows)), max(1, len(windows) // 64))
        losses = [float(method.masked_loss(windows[part], 1.0)) * len(part) for part in parts]
    by_frequency = -np.log(counts / counts.sum())[windows.stream.ids].mean()
    return {"nats by frequency": float(by_frequency), "nats by context": sum(losses) / len(windows)}


def bag_of_tokens(tokenizer: Any, samples: Any) -> np.ndarray:
    """Bags of words (see `TextSamples.flat`) of the tokens that BERT reads."""
    bags = np.stack([np.bincount(ids, minlength=tokenizer.size) for ids in tokenizer.encode(samples.texts)])
    logs = np.log1p(bags).astype(np.float32)
    found: np.ndarray = logs / np.maximum(np.linalg.norm(logs, axis=1, keepdims=True), 1e-9)
    return found


def banking(path: Path) -> Any:
    """banking77's questions with their intents."""
    from replearn.data import as_samples

    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    names = sorted({row["label"] for row in found})
    return as_samples([row["text"] for row in found], np.array([names.index(row["label"]) for row in found]))


def few_labels(
    name: str, train: np.ndarray, train_labels: np.ndarray, test: np.ndarray, test_labels: np.ndarray
) -> dict[str, float]:
    """Accuracy of a linear probe by labels per class, mean over draws of labels."""
    from replearn.evaluate.few_labels import few_label_curve

    curve = few_label_curve(
        train,
        train_labels,
        test,
        test_labels,
        fractions=(),
        per_class=PER_CLASS,
        draws=DRAWS,
        scaling="columns",
    )
    return {f"{name}, {line.setting}": float(line.mean) for line in curve.itertuples()}


# The page.


def markdown(found: list[dict[str, Any]]) -> str:
    """Both tables."""
    import pandas as pd

    lines: list[str] = []
    for row in (row for row in found if row["part"] == "speed"):
        lines += ["## Speed", ""]
        names = [key.partition(":")[0] for key in row if key.endswith("tokens per CPU second")]
        columns = ("tokens per CPU second", "tokens per second")
        cells = [[row[f"{name}: {column}"] for column in columns] for name in names]
        shown = [
            [name, *(f"{value:,.0f}" for value in values)] for name, values in zip(names, cells, strict=True)
        ]
        ratios = [f"{cells[0][0] / values[0]:.2f}" for values in cells]
        lines += rows.table(
            ["training", *columns, "replearn is faster by (CPU)"],
            [[*line, ratio] for line, ratio in zip(shown, ratios, strict=True)],
        )
        lines += [
            f"{row['machine']['torch threads']} thread(s); BERT-mini, windows of {WINDOW} tokens, batch {BATCH}.",
            "",
        ]
    learned = pd.DataFrame([row for row in found if row["part"] == "learn"])
    if len(learned):
        lines += ["## Learning from little text, and few labels", ""]
        numbers = [name for name in learned if name not in (*KEY, "machine", "alarms", "characters")]
        head = ["features", "seeds", *(f"{name} (%)" if "per class" in name else name for name in numbers)]
        cells = [
            [what, str(len(part)), *(cell(name, part[name]) for name in numbers)]
            for what, part in learned.groupby("what", sort=False)
        ]
        lines += rows.table(head, cells)
        recipe = ", ".join(f"{name} {value:g}" for name, value in RECIPE.items())
        lines += [f"Learned from {int(learned['characters'].max()):,} characters: {recipe}."]
    told = [
        "Accuracy of a linear probe on frozen features (mean of the last states), mean over draws of labels."
    ]
    return rows.page(
        "Masked language models",
        "python benchmarks/masked.py",
        told,
        lines,
        rows.used_by(row["machine"] for row in found),
    )


def cell(name: str, values: Any) -> str:
    """Numbers of one column, over seeds."""
    return rows.cell(values, percent="per class" in name, spread=True)


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    raise SystemExit(main())
