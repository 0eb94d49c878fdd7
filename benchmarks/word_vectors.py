"""Word vectors beside gensim's and GloVe's own program: words per second, and what they know; same texts and settings.

    python benchmarks/word_vectors.py CORPUS.txt --tests FOLDER --gensim PYTHON             speed and scores
    python benchmarks/word_vectors.py CORPUS.txt --tests FOLDER --gensim PYTHON --seeds 1 --epochs 1
    python benchmarks/word_vectors.py CORPUS.txt --tests FOLDER --what glove --epochs 15 --glove FOLDER

CORPUS.txt has a text on each line, its tokens apart by spaces. FOLDER holds `questions-words.txt`, `wordsim353.tsv` and
`simlex999.txt`, as gensim's own test data has them. PYTHON is the interpreter of an environment with gensim, which is
kept apart from ours; --glove is where the programs vocab_count, cooccur, shuffle and glove of GloVe's authors lie. All
learn from the same lines with d 100 and words that occur at least 5 times. word2vec: windows of 5, 5 negatives, sample
1e-3 and a learning rate that falls from 0.025. GloVe: windows of 10, rate 0.05, counts from 10 on weigh the same. Each
in a process of its own, in turn, so that none has the machine in a better mood. Words per second are all words of the
corpus times epochs, by the time of the training alone, without reading, counting words and compiling; GloVe's counting
of pairs is among it, for both.

A corpus of a few million words answers few analogies: the columns say how many it knows.

Results: `benchmarks/results/word_vectors.json`.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rows
import torch
from record import machine

RESULTS = Path(__file__).resolve().parent / "results" / "word_vectors.json"
LEAST, DIM, WINDOW, NEGATIVES, SAMPLE, RATE = 5, 100, 5, 5, 1e-3, 0.025
COUNTS_WINDOW, MOST, COUNTS_RATE = 10, 10, 0.05  # of GloVe
GOALS = {"skip-gram": 2.0, "cbow": 1.5}
KEY = ("who", "what", "workers", "seed", "corpus words")
SPEEDS = ("words/s", "words per processor second")
SCORES = ("WordSim-353", "SimLex-999", "analogies")
HEAD = ("model", "by", "workers", "seeds", "epochs", "words/s", "words per processor s", *SCORES, "ratio")
OTHER = {"skip-gram": "gensim", "cbow": "gensim", "glove": "its authors"}
THEIRS = """
import json, sys, time
from gensim.models import Word2Vec
corpus, out, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
texts = [line.split() for line in open(corpus, encoding="utf-8")]
words = sum(map(len, texts))
model = Word2Vec(**options)
model.build_vocab(texts)
wall, cpu = time.perf_counter(), time.process_time()
model.train(texts, total_examples=len(texts), epochs=options["epochs"])
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
model.wv.save_word2vec_format(out, binary=True)
print(json.dumps({"wall": wall, "cpu": cpu, "words": words}))
"""


def main() -> int:
    """Measure all, write after each row, and say whether the goals are reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path, help="a text on each line, tokens apart by spaces")
    parser.add_argument("--tests", type=Path, required=True, help="folder of the tests of words")
    parser.add_argument("--gensim", help="a Python that has gensim")
    parser.add_argument("--glove", type=Path, help="folder of the programs of GloVe's authors")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument(
        "--what", nargs="+", default=["skip-gram", "cbow"], choices=["skip-gram", "cbow", "glove"]
    )
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(ours(asked.corpus, **json.loads(asked.one))))
        return 0
    for seed in asked.seeds:
        for what in asked.what:
            beside = asked.glove if what == "glove" else asked.gensim
            for workers in asked.workers:
                for who in (OTHER[what], "replearn") if beside else ("replearn",):
                    row = measure(asked, who, what, workers, seed)
                    every = rows.keep(RESULTS, row, KEY)
                    RESULTS.with_suffix(".md").write_text(markdown(every), encoding="utf-8")
                    print({key: value for key, value in row.items() if key != "machine"}, flush=True)
    measured = [row for row in every if row["corpus words"] == every[-1]["corpus words"]]
    reached = [(key, ratio) for key, ratio in ratios(measured).items() if key[0] in GOALS]
    return int(not all(ratio >= GOALS[what] for (what, _), ratio in reached))


def measure(asked: argparse.Namespace, who: str, what: str, workers: int, seed: int) -> dict[str, Any]:
    """One row."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "vectors.bin"
        if who == "gensim":
            options = {
                **{
                    "vector_size": DIM,
                    "window": WINDOW,
                    "negative": NEGATIVES,
                    "sample": SAMPLE,
                    "alpha": RATE,
                },
                **{"min_count": LEAST, "sg": int(what == "skip-gram"), "workers": workers, "seed": seed},
                "epochs": asked.epochs,
            }
            command = [asked.gensim, "-c", THEIRS, str(asked.corpus), str(out), json.dumps(options)]
            found = told(command)
        elif who == OTHER["glove"]:
            found = by_its_authors(asked, Path(folder), workers, seed, out)
        else:
            options = {
                **{"what": what, "workers": workers, "seed": seed, "epochs": asked.epochs, "out": str(out)}
            }
            given = [str(asked.corpus), "--tests", str(asked.tests)]
            found = told([sys.executable, __file__, *given, "--one", json.dumps(options)])
        scores = judged(out, asked.tests)
    return {
        **{"who": who, "what": what, "workers": workers, "seed": seed, "epochs": asked.epochs},
        "corpus words": found["words"],
        "words/s": found["words"] * asked.epochs / found["wall"],
        "words per processor second": found["words"] * asked.epochs / found["cpu"],
        **scores,
        "machine": machine(),
    }


def told(command: list[str]) -> dict[str, float]:
    """What a process says on its last line."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def by_its_authors(
    asked: argparse.Namespace, folder: Path, workers: int, seed: int, out: Path
) -> dict[str, float]:
    """GloVe by the program of its authors; writes the vectors, and tells seconds of counting and training."""
    from replearn.encoders.word_files import write_word2vec
    from replearn.encoders.word_table import WordTable

    known, pairs, mixed, vectors = (folder / name for name in ("known", "pairs", "mixed", "vectors"))
    run(asked.glove / "vocab_count", asked.corpus, known, "-min-count", LEAST)
    began = times()
    window = ("-window-size", COUNTS_WINDOW)
    run(asked.glove / "cooccur", asked.corpus, pairs, "-vocab-file", known, "-memory", 2, *window)
    run(asked.glove / "shuffle", pairs, mixed, "-memory", 2, "-seed", seed)
    shape = ("-vector-size", DIM, "-x-max", MOST, "-eta", COUNTS_RATE, "-iter", asked.epochs, "-binary", 0)
    files = ("-input-file", mixed, "-vocab-file", known, "-save-file", vectors)
    run(asked.glove / "glove", None, None, *files, *shape, "-threads", workers, "-seed", seed)
    wall, cpu = (after - before for after, before in zip(times(), began, strict=True))
    lines = [line.split(" ") for line in vectors.with_suffix(".txt").read_text(encoding="utf-8").splitlines()]
    table = torch.tensor([[float(number) for number in row[1:]] for row in lines])
    write_word2vec(WordTable([row[0] for row in lines], table), out, binary=True)
    texts = asked.corpus.read_text(encoding="utf-8").splitlines()
    return {"wall": wall, "cpu": cpu, "words": sum(len(text.split()) for text in texts)}


def run(program: Path, given: Path | None, made: Path | None, *options: Any) -> None:
    """A program of theirs, which reads and writes as a filter."""
    with (given or Path(os.devnull)).open("rb") as source, (made or Path(os.devnull)).open("wb") as sink:
        command = [str(program), *map(str, options), "-verbose", "0"]
        subprocess.run(command, stdin=source, stdout=sink, stderr=subprocess.DEVNULL, check=True)


def times() -> tuple[float, float]:
    """Seconds by the clock, and of processes that this one waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter(), used.ru_utime + used.ru_stime


def ours(corpus: Path, *, what: str, workers: int, seed: int, epochs: int, out: str) -> dict[str, float]:
    """Train on the corpus and write the vectors; seconds of the training alone."""
    from replearn.data.tokenizer import SPECIALS
    from replearn.encoders.word_files import write_word2vec
    from replearn.methods import language

    texts = corpus.read_text(encoding="utf-8").splitlines()
    fields = {"dim": DIM, "least": LEAST, "lowercase": False, "workers": workers, "random_state": seed}
    if what == "glove":
        fields |= {"window": COUNTS_WINDOW, "most": MOST, "learning_rate": COUNTS_RATE, "held_out": 0.0}
        method = language.GloVe(**fields, epochs=epochs)
    else:
        fields |= {"window": WINDOW, "negatives": NEGATIVES, "sample": SAMPLE, "learning_rate": RATE}
        method = language.Word2Vec(**fields, model=what, epochs=epochs, held_out=0.0)
    clock: dict[str, float] = {}
    learn = method.learn_vectors

    def timed(stream: Any, *rest: Any) -> Any:
        compile_first(method, what)
        wall, cpu = time.perf_counter(), time.process_time()
        found = learn(stream, *rest)
        clock.update(wall=time.perf_counter() - wall, cpu=time.process_time() - cpu)
        return found

    method.learn_vectors = timed
    method.fit(texts)
    assert len(method.words_) > len(SPECIALS)
    write_word2vec(method.words_, out, binary=True)
    return clock | {"words": sum(len(text.split()) for text in texts)}


def compile_first(method: Any, what: str) -> None:
    """So that no clock counts it."""
    fields = method.get_params() | {"least": 1, "epochs": 1, "workers": 1, "held_out": 0.0}
    type(method)(**fields if what == "glove" else fields | {"sample": 0.0}).fit(["to be or not to be"])


def judged(path: Path, tests: Path) -> dict[str, float]:
    """What the vectors know."""
    from replearn.encoders.word_files import read_word2vec
    from replearn.evaluate.words import analogies, read_analogies, read_word_pairs, word_similarity

    table = read_word2vec(path, binary=True)
    vectors = table.vectors.numpy()
    found: dict[str, float] = {}
    for name, file in (("WordSim-353", "wordsim353.tsv"), ("SimLex-999", "simlex999.txt")):
        score = word_similarity(table.words, vectors, read_word_pairs(tests / file))
        found |= {name: score.correlation, f"{name} known": score.known}
    answers = analogies(table.words, vectors, read_analogies(tests / "questions-words.txt"))
    return found | {"analogies": answers.accuracy, "analogies known": answers.known}


def ratios(found: list[dict[str, Any]]) -> dict[tuple[str, int], float]:
    """Our speed over gensim's, the median over seeds, by what and workers.

    Of one worker by processor time, which other programs on the machine hardly change; of more by the clock.
    """
    frame = pd.DataFrame(found)
    result: dict[tuple[str, int], float] = {}
    for (what, workers), part in frame.groupby(["what", "workers"]) if len(frame) else ():
        clock = "words per processor second" if workers == 1 else "words/s"
        speed = {who: own.set_index("seed")[clock] for who, own in part.groupby("who")}
        if len(speed) == 2:
            other = speed[OTHER[str(what)]]
            result[str(what), int(str(workers))] = float(np.nanmedian(speed["replearn"] / other))
    return result


def markdown(found: list[dict[str, Any]]) -> str:
    """Means over seeds, a table for each corpus."""
    lines = []
    for words in sorted({row["corpus words"] for row in found}):
        own = [row for row in found if row["corpus words"] == words]
        known = ", ".join(f"{own[0][f'{name} known']:.0%} of {name}" for name in SCORES)
        lines += [f"## {words:,} words", "", *rows.table(HEAD, table(own)), f"Known are {known}.", ""]
    told = [
        f"d {DIM}; word2vec: windows of {WINDOW}, {NEGATIVES} negatives; GloVe: windows of {COUNTS_WINDOW}, counts",
        f"from {MOST} on weigh the same. Similarity: Spearman's correlation in percent; analogies: percent of the",
        "known ones. ± is over seeds; the ratio is of words per processor second with one worker, and of words/s with",
        "more; its median over seeds.",
    ]
    return rows.page(
        "Word vectors beside gensim 4.4 and the program of GloVe's authors",
        "python benchmarks/word_vectors.py CORPUS.txt --tests FOLDER --gensim PYTHON --glove FOLDER",
        told,
        lines,
        rows.used_by(row["machine"] for row in found),
    )


def table(found: list[dict[str, Any]]) -> list[list[str]]:
    """Rows of one corpus."""
    found = sorted(
        found, key=lambda row: (list(OTHER).index(row["what"]), row["workers"], row["who"] == "replearn")
    )
    frame, speedup, lines = pd.DataFrame(found), ratios(found), []
    for (what, workers, who), own in frame.groupby(["what", "workers", "who"], sort=False):
        ratio = speedup.get((str(what), int(str(workers)))) if who == "replearn" else None
        told = [str(value) for value in (what, who, workers, len(own), own["epochs"].max())]
        told += [f"{own[name].mean():,.0f}" for name in SPEEDS]
        told += [rows.cell(own[name], percent=True, spread=True) for name in SCORES]
        lines.append([*told, f"{ratio:.2f}" if ratio else ""])
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
