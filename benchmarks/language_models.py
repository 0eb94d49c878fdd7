"""Language models: how fast GPT learns beside a plain loop, and how well each model tells texts that it has not seen.

    python benchmarks/language_models.py speed     # tokens per second of GPT-mini, ours and a plain PyTorch loop
    python benchmarks/language_models.py learn     # held-out bits per character: n-gram, LSTM, GPT
    python benchmarks/language_models.py learn --data standard-library --minutes 20
    python benchmarks/language_models.py learn --corpus FILE.txt     # a text per line; the last 20th is held out

`python-manual` is built in. `standard-library` are the source files of Python's own library on this machine, a text
each, without tests; a tenth of them, drawn by seed 0, is held out.

Both write into results/language_models.json and .md. The plain loop is of the kind of nanoGPT: one file, LayerNorm,
GELU, `scaled_dot_product_attention`, AdamW, batches from random places of a row of tokens; its networks have the sizes
of ours. Rounds of each take turns, so that a busy machine slows all of them.
"""

import argparse
import json
import statistics
import sysconfig
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rows
import torch
import torch.nn.functional as F
from record import machine
from torch import Tensor, nn

import replearn
from replearn.engine.batches import batches
from replearn.engine.machine import choose, make_fabric
from replearn.engine.optimizers import make_optimizer
from replearn.engine.step import Step, one_step
from replearn.engine.train import ready
from replearn.evaluate import memorization

RESULTS = Path(__file__).parent / "results"
DATA = "python-manual"
LIBRARY = "standard-library"
ASIDE = {"site-packages", "test", "tests", "idle_test"}  # folders of the library that do not count
HELD_OUT = 20  # one text of so many of a corpus
TOLD = 300_000  # characters of training texts whose bits are told
DEPTH, DIM, HEADS = 4, 256, 4  # GPT-mini
KEY = ("part", "data", "model", "seed")
MODELS: dict[str, dict[str, Any]] = {
    "NGram": {"order": 6},
    "LSTMLanguageModel": {},
    "GPT": {},
}


class Block(nn.Module):
    """A layer of the plain transformer."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(DIM) for _ in range(2))
        self.attend, self.join = nn.Linear(DIM, 3 * DIM), nn.Linear(DIM, DIM)
        self.up, self.down = nn.Linear(DIM, 4 * DIM), nn.Linear(4 * DIM, DIM)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        n, t, _ = x.shape
        parts = self.attend(self.norms[0](x)).split(DIM, dim=2)
        q, k, v = (part.view(n, t, HEADS, -1).transpose(1, 2) for part in parts)  # (n, h, t, d)
        found = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.dropout(self.join(found.transpose(1, 2).reshape(n, t, DIM)))
        return x + self.dropout(self.down(F.gelu(self.up(self.norms[1](x)))))


class Plain(nn.Module):
    """A GPT as one writes it down."""

    def __init__(self, vocabulary: int, window: int, dropout: float) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(vocabulary, DIM), nn.Embedding(window, DIM)
        self.blocks = nn.ModuleList(Block(dropout) for _ in range(DEPTH))
        self.norm, self.dropout = nn.LayerNorm(DIM), nn.Dropout(dropout)
        for weight in self.parameters():
            if weight.ndim > 1:
                nn.init.normal_(weight, std=0.02)

    def forward(self, ids: Tensor, following: Tensor) -> Tensor:
        x = self.dropout(self.words(ids) + self.places(torch.arange(ids.shape[1])))
        for block in self.blocks:
            x = block(x)
        logits = self.norm(x) @ self.words.weight.T
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), following.reshape(-1))


def plain_steps(stream: np.ndarray, method: Any, dropout: float, *, bf16: bool) -> Iterator[float]:
    """Steps of the plain loop; the loss of each."""
    torch.manual_seed(0)
    net = Plain(int(stream.max()) + 1, method.window, dropout)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)
    while True:
        starts = torch.randint(len(stream) - method.window - 1, (method.batch_size,))
        both = np.stack([stream[i : i + method.window + 1] for i in starts.tolist()]).astype(np.int64)
        ids = torch.from_numpy(both)  # (n, t + 1)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = net(ids[:, :-1], ids[:, 1:])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        yield loss.item()


def our_steps(method: Any, windows: Any) -> Iterator[float]:
    """Steps of the engine."""
    fabric, step = make_fabric(choose("cpu")), Step(method)
    raw = make_optimizer("adamw", method.modules(), learning_rate=1e-3, weight_decay=method.weight_decay)
    module, optimizer = fabric.setup(step, raw)
    with ready(method, step):
        for parts in batches(method, windows, first=0, steps=10**6):
            yield one_step(fabric, module, optimizer, parts, 1e-3)[0].item()


def speed(threads: int, rounds: int, steps: int) -> list[dict[str, Any]]:
    """Tokens per second of each way, the median over rounds, in turns."""
    torch.set_num_threads(threads)
    method = replearn.GPT(epochs=10**5)
    samples = method.reading(replearn.load_data(DATA, split="train"))
    method.prepare(samples)
    windows = method.training_samples(samples)
    stream, dropout = np.asarray(windows.stream.ids), method.dropout
    ways: dict[str, Iterator[float]] = {
        "ours": our_steps(method, windows),
        "plain": plain_steps(stream, method, dropout, bf16=False),
        "plain, no dropout": plain_steps(stream, method, 0.0, bf16=False),
        "plain, bfloat16": plain_steps(stream, method, dropout, bf16=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):  # the first is to warm up
        for name, way in ways.items():
            begun = time.perf_counter()
            losses = [next(way) for _ in range(steps)]
            if number:
                seconds[name].append((time.perf_counter() - begun) / steps)
            assert np.isfinite(losses).all()
    tokens = method.batch_size * method.window
    ours = statistics.median(seconds["ours"])
    return [
        {
            "way": name,
            "threads": threads,
            "tokens per second": tokens / statistics.median(found),
            "ours is faster by": statistics.median(found) / ours,
            "vocabulary": samples.tokenizer.size,
            "window": method.window,
            "batch": method.batch_size,
        }
        for name, found in seconds.items()
    ]


def parts(data: str, corpus: Path | None) -> tuple[Any, Any]:
    """The training and the test part."""
    if data == LIBRARY:
        texts = library()
        order = np.random.default_rng(0).permutation(len(texts))
        return texts.subset(np.sort(order[len(order) // 10 :])), texts.subset(
            np.sort(order[: len(order) // 10])
        )
    if corpus is None:
        return replearn.load_data(DATA, split="train"), replearn.load_data(DATA, split="test")
    texts = replearn.as_samples(corpus)
    first = len(texts) - max(1, len(texts) // HELD_OUT)
    return texts.subset(np.arange(first)), texts.subset(np.arange(first, len(texts)))


def library() -> Any:
    """The source files of Python's standard library."""
    home = Path(sysconfig.get_path("stdlib"))
    files = sorted(path for path in home.rglob("*.py") if not ASIDE & set(path.relative_to(home).parts))
    found = (path.read_text(encoding="utf-8", errors="replace") for path in files)
    return replearn.as_samples([text for text in found if text.strip()])


def learn(name: str, seed: int, vocabulary: int, minutes: float, parts: tuple[Any, Any]) -> dict[str, Any]:
    """Train one model; what it makes of the test part, and a text of its own."""
    train, test = parts
    seen = np.cumsum([len(text) for text in train.texts]) <= TOLD
    limit = {} if name == "NGram" else {"max_minutes": minutes}
    model = getattr(replearn, name)(**MODELS[name] | {"vocabulary": vocabulary, "random_state": seed} | limit)
    begun = time.perf_counter()
    model.fit(train)
    spent = time.perf_counter() - begun
    found = memorization(model, train.texts, test.texts)
    by_heart = found[found["prefix"] == found["prefix"].max()].set_index("part")["exact"]
    return {
        "minutes": spent / 60,
        "threads": torch.get_num_threads(),
        "steps": None if name == "NGram" else model.history_.rows[-1]["step"],
        "bits per character": model.bits_per_character(test.texts),
        "training bits": model.bits_per_character(train.texts[: int(seen.sum())]),
        "perplexity": model.perplexity(test.texts),
        "exact, training": float(by_heart["training"]),
        "exact, held out": float(by_heart["held out"]),
        "text": model.generate("The", tokens=80, temperature=0.8, random_state=seed)[0],
        "machine": machine(),
    }


def markdown(found: list[dict[str, Any]]) -> str:
    """All rows as one page."""
    frame = pd.DataFrame(found)
    lines: list[str] = ["## Held-out bits per character", ""]
    learned = frame[frame["part"] == "learn"]
    head = ["data", "model", "seeds", "bits per character", "training bits", "perplexity", "exact, training",
            "exact, held out", "minutes", "threads"]  # fmt: skip
    table, texts = [], []
    for data, name in product(learned["data"].unique() if len(learned) else (), MODELS):
        group = learned[(learned["model"] == name) & (learned["data"] == data)]
        if group.empty:
            continue
        cells = [rows.cell(group[part], spread=True, percent="exact" in part) for part in head[3:9]]
        table.append([data, name, str(len(group)), *cells, rows.cell(group["threads"])])
        first = group.sort_values("seed")["text"].iloc[0]
        texts += [f"{name}, {data}:", "", *(f"    {line}" for line in first.splitlines()), ""]
    lines += [*rows.table(head, table), "", "## Texts that they write", "", *texts] if table else []
    timed = frame[frame["part"] == "speed"]
    if len(timed):
        columns = [
            "way",
            "threads",
            "tokens per second",
            "ours is faster by",
            "vocabulary",
            "window",
            "batch",
        ]
        body = [
            [str(row["way"]), *(rows.cell(pd.Series([row[name]])) for name in columns[1:])]
            for row in timed.to_dict("records")
        ]
        lines += ["## Tokens per second of GPT-mini", "", *rows.table(columns, body)]
    told = [
        f"Held out: of {DATA} by document, of {LIBRARY} a tenth of its files, of a corpus its last part.",
        f"{LIBRARY}: `learn --data {LIBRARY} --minutes 20 --threads 1`.",
        f"Training bits: of the first {TOLD:,} characters ({DATA}: of its first 300 texts).",
        "exact: % of texts whose 16 tokens after the first 32 are all right.",
    ]
    command = "python benchmarks/language_models.py learn|speed"
    return rows.page("Language models", command, told, lines, rows.used_by(row["machine"] for row in found))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("part", choices=("speed", "learn"))
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--steps", type=int, default=2)
    arguments.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    arguments.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments.add_argument("--data", choices=(DATA, LIBRARY), default=DATA)
    arguments.add_argument("--corpus", type=Path, help="a file with a text per line, in place of --data")
    arguments.add_argument("--vocabulary", type=int, default=1024)
    arguments.add_argument("--minutes", type=float, default=5.0)
    arguments.add_argument("--again", action="store_true")
    arguments.add_argument("--one", help=argparse.SUPPRESS)
    arguments.add_argument("--out", type=Path, default=RESULTS)
    asked = arguments.parse_args()
    torch.set_num_threads(asked.threads)
    if asked.one:
        both = parts(asked.data, asked.corpus)
        print(json.dumps(learn(asked.one, asked.seeds[0], asked.vocabulary, asked.minutes, both)))
        return
    path = asked.out / "language_models.json"
    asked.out.mkdir(parents=True, exist_ok=True)
    if asked.part == "speed":
        for row in speed(asked.threads, asked.rounds, asked.steps):
            kept = {"part": "speed", "data": DATA, "model": row["way"], "seed": 0} | row
            page = markdown(rows.keep(path, kept | {"machine": machine()}, KEY))
            print(row, flush=True)
        path.with_suffix(".md").write_text(page, encoding="utf-8")
        return
    data = asked.corpus.stem if asked.corpus else asked.data
    wanted = [
        {"part": "learn", "data": data, "model": name, "seed": seed}
        for seed in asked.seeds
        for name in asked.models
    ]

    def command(row: Any) -> list[str]:
        options = ["--vocabulary", asked.vocabulary, "--minutes", asked.minutes, "--threads", asked.threads]
        options += ["--corpus", asked.corpus] if asked.corpus else ["--data", asked.data]
        return [__file__, "learn", "--one", row["model"], "--seeds", *map(str, [row["seed"], *options])]

    raise SystemExit(rows.fill(path, wanted, command, markdown, key=KEY, again=asked.again))


if __name__ == "__main__":
    main()
