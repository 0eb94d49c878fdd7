"""A run that has ended goes on with more epochs: once, twice, killed at any instant, by every mechanism of learning."""

import csv
import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from children import extend, finish, fit, fit_and_die, little_digits, quick, some_digits

import replearn
from lanes import one_of_each
from made_texts import made_texts
from replearn.engine.extension import Extension, put_back
from replearn.engine.pace import Pace
from replearn.engine.run import EVALUATION, HISTORY, METHOD, REPORT, STATE, WEIGHTS, write_tensors

KILLED = -9
N = 8  # steps of the first training: two epochs of 32 samples by 8
# One method for each thing that is remembered, or follows the progress of a training.
MECHANISMS = {
    "simclr": {},
    "moco": {"queue": 16},
    "byol": {},
    "dino": {},
    "betavae": {"encoder": "mlp"},
    "bigan": {},
    "deepbelief": {},
    "gpt": {},
    "bert": {},
    "textvae": {},
}
WORDS = {"word2vec": {"dim": 8, "least": 1}, "glove": {"dim": 8, "least": 1}}


def outcome(run: Path) -> tuple[bytes, list[tuple[str, ...]]]:
    """The weights, and what of the history does not tell the time."""
    columns = ("step", "planned", "loss", "learning_rate", "spread", "growth")
    with (run / HISTORY).open(newline="") as file:
        rows = [tuple(row[name] for name in columns) for row in csv.DictReader(file)]
    return (run / WEIGHTS).read_bytes(), rows


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has ended."""
    run = tmp_path_factory.mktemp("ended") / "run"
    assert finish(fit, run) == 0
    return run


@pytest.fixture(scope="module")
def extended(ended: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run, extended."""
    run = Path(shutil.copytree(ended, tmp_path_factory.mktemp("extended") / "run"))
    assert finish(extend, run) == 0
    return run


@pytest.fixture
def copy(ended: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ended, tmp_path / "copy"))


def files(run: Path) -> set[str]:
    return {path.name for path in run.iterdir()}


def test_steps_go_on_and_the_learning_rate_begins_again(ended: Path, extended: Path) -> None:
    (before, first), (after, rows) = outcome(ended), outcome(extended)
    assert rows[: len(first)] == first
    assert [int(row[0]) for row in rows] == list(range(1, 2 * N + 1))
    rates = [float(row[3]) for row in rows]
    assert rates[N:] == pytest.approx(rates[:N])  # warm-up, and cosine
    assert before != after
    assert files(extended) == files(ended) == {METHOD, WEIGHTS, HISTORY}
    content = json.loads((extended / METHOD).read_text())
    assert content["fields"]["epochs"] == 4
    assert [(one["epochs"], one["step"]) for one in content["extensions"]] == [(2.0, N)]
    growth = [float(row[5]) for row in rows if row[5]]
    assert growth[-1] != pytest.approx(1.0, abs=1e-6)  # since the beginning of the first training


def test_it_is_said_with_numbers(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "replearn"):
        method = extend(copy)
    line = "had ended after 2 epochs; 2 more with a new schedule of the learning rate (0.01 to 0)"
    assert f"{copy} {line}" in caplog.text
    loaded = replearn.load(copy)
    assert loaded.epochs == 4
    assert loaded.extensions_ == method.extensions_
    np.testing.assert_array_equal(method.transform(little_digits()), loaded.transform(little_digits()))
    loaded.save(copy.parent / "saved")
    assert replearn.load(copy.parent / "saved").extensions_ == method.extensions_


def test_it_is_not_what_all_epochs_at_once_give(extended: Path, tmp_path: Path) -> None:
    assert finish(fit, tmp_path / "run", epochs=4) == 0
    assert outcome(tmp_path / "run")[0] != outcome(extended)[0]


@pytest.mark.parametrize("at", [1, 12, 14, 15, 17, 18, 22, 35, 36, 50, 75, 100])
def test_a_kill_before_any_file_operation(at: int, copy: Path, extended: Path) -> None:
    assert finish(fit_and_die, copy, at, resume=True, epochs=4) == KILLED
    assert finish(extend, copy) == 0
    assert outcome(copy) == outcome(extended)
    assert files(copy) == files(extended)


@pytest.mark.parametrize("at", [12, 14, 17, 18, 36])
def test_a_kill_as_it_begins_may_leave_the_run_as_it_was(at: int, copy: Path, ended: Path) -> None:
    """What is no extension yet, by its `method.json`, is the run that it was."""
    assert finish(fit_and_die, copy, at, resume=True, epochs=4) == KILLED
    begun = "extensions" in json.loads((copy / METHOD).read_text())
    assert (finish(fit, copy, resume=True) == 0) != begun
    assert begun or outcome(copy) == outcome(ended)


def test_extended_twice(extended: Path, tmp_path: Path) -> None:
    runs = [Path(shutil.copytree(extended, tmp_path / name)) for name in ("whole", "killed")]
    assert finish(extend, runs[0], epochs=6) == 0
    assert finish(fit_and_die, runs[1], 75, resume=True, epochs=6) == KILLED
    assert finish(extend, runs[1], epochs=6) == 0
    assert outcome(runs[0]) == outcome(runs[1])
    content = json.loads((runs[1] / METHOD).read_text())
    assert [(one["epochs"], one["step"]) for one in content["extensions"]] == [(2.0, N), (4.0, 2 * N)]


def test_what_is_no_extension_is_refused(copy: Path) -> None:
    with pytest.raises(ValueError, match=r"has ended, after 2 epochs, and can have no fewer; got epochs=1"):
        extend(copy, epochs=1)
    with pytest.raises(ValueError, match=r"temperature was 0\.5, got 0\.1"):
        extend(copy, temperature=0.1)
    with pytest.raises(ValueError, match="samples it began with"):
        quick(epochs=4).fit(255 - little_digits(), run=copy, resume=True)
    (copy / HISTORY).unlink()
    with pytest.raises(ValueError, match=r"must tell at which step.*--encoder"):
        extend(copy)
    assert fit(copy, resume=True).epochs == 2


def test_what_keeps_its_best_epoch_is_refused(tmp_path: Path) -> None:
    model = replearn.FineTune(encoder="cnn", epochs=1, batch_size=8, trained="frozen", validation=0.0)
    labels = np.arange(32) % 2
    model.fit(little_digits(), labels, run=tmp_path / "run")
    with pytest.raises(
        ValueError, match=r"can't be extended, since it keeps the weights of its best epoch.*--encoder"
    ):
        model.set_params(epochs=2).fit(little_digits(), labels, run=tmp_path / "run", resume=True)


def test_a_run_that_has_not_ended_is_not_extended(copy: Path, tmp_path: Path) -> None:
    assert finish(fit_and_die, tmp_path / "run", 75) == KILLED
    with pytest.raises(ValueError, match=r"epochs was 2, got 4.*when it has ended"):
        extend(tmp_path / "run")
    assert finish(fit_and_die, copy, 75, resume=True, epochs=4) == KILLED
    with pytest.raises(ValueError, match=r"epochs was 4, got 6.*when it has ended"):
        extend(copy, epochs=6)
    with pytest.raises(ValueError, match="has not ended: resume it"):
        replearn.load(copy)
    assert f"weights-{N}.safetensors" in files(copy)


def test_what_told_of_the_weights_before_is_set_aside(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in (EVALUATION, REPORT, "rows.npy", "rows.npy.json", "own.npy", "own.parquet"):
        (copy / name).write_text("{}")
    table = pa.table({"index": [0]})
    pq.write_table(table.replace_schema_metadata({"replearn": "{}"}), copy / "rows.parquet")
    with caplog.at_level(logging.INFO, "replearn"):
        extend(copy)
    [line] = [line for line in caplog.messages if "weights before" in line]
    assert line == (
        f"{copy}: made with the weights before: evaluation.json is now evaluation-{N}.json, report.html is now "
        f"report-{N}.html, rows.npy stays as it is, rows.parquet stays as it is"
    )
    assert {f"evaluation-{N}.json", f"report-{N}.html"} < files(copy)
    assert not {EVALUATION, REPORT} & files(copy)


def test_weights_and_method_of_two_trainings_are_noticed(copy: Path, extended: Path) -> None:
    shutil.copy(extended / WEIGHTS, copy)
    with pytest.raises(ValueError, match=r"extended as method\.json says, at steps none.*Copy both"):
        replearn.load(copy)


@pytest.mark.parametrize(
    "told",
    [
        *("no list", [{"epochs": 2}], 3, [[]]),
        [{"epochs": 2, "step": -1, "seconds": 0}],
        [{"epochs": 1, "step": 4, "seconds": 0}, {"epochs": 2, "step": 3, "seconds": 0}],
    ],
)
def test_extensions_that_are_broken(told: object, copy: Path) -> None:
    content = json.loads((copy / METHOD).read_text())
    (copy / METHOD).write_text(json.dumps(content | {"extensions": told}))
    for read in (replearn.load, extend):
        with pytest.raises(ValueError, match=r"extensions in .* must be a list"):
            read(copy)


def test_extensions_after_the_end_of_the_history(copy: Path) -> None:
    content = json.loads((copy / METHOD).read_text())
    told = [{"epochs": 2, "step": 999, "seconds": 0}]
    (copy / METHOD).write_text(json.dumps(content | {"extensions": told}))
    with pytest.raises(ValueError, match=rf"must begin within the {N} steps of {HISTORY}; got step 999"):
        extend(copy)
    with pytest.raises(ValueError, match="at steps 999; it is not"):
        replearn.load(copy)


def test_files_of_others_are_not_taken_for_weights(tmp_path: Path) -> None:
    write_tensors(tmp_path / "weights-7.safetensors", {"a": torch.zeros(1)})
    put_back(tmp_path, [], last=8)
    assert not (tmp_path / WEIGHTS).exists()
    put_back(tmp_path, [Extension(1.0, 7, 0.0)], last=7)
    assert not (tmp_path / WEIGHTS).exists()


@pytest.mark.parametrize("name", one_of_each(MECHANISMS, ["simclr", "byol"]))
def test_every_mechanism(name: str, tmp_path: Path) -> None:
    """Twice the same bits, once with a kill; teachers, queues and what follows progress are as after a training."""
    fields = {"name": name, "n": 16, **MECHANISMS[name]}
    assert finish(fit, tmp_path / "whole", **fields) == 0
    shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    assert finish(extend, tmp_path / "whole", epochs=5, **fields) == 0
    assert finish(fit_and_die, tmp_path / "killed", 64, resume=True, epochs=5, **fields) == KILLED
    assert finish(extend, tmp_path / "killed", epochs=5, **fields) == 0
    assert outcome(tmp_path / "whole") == outcome(tmp_path / "killed")


@pytest.mark.parametrize("name", WORDS)
def test_word_vectors(name: str, tmp_path: Path) -> None:
    pytest.importorskip("numba")
    texts, cls = made_texts(96), replearn.methods.find_method(name).cls

    def learn(run: Path, epochs: int) -> object:
        return cls(epochs=epochs, **WORDS[name]).fit(texts, run=run, resume=True)

    learn(tmp_path / "run", 2)
    assert [path.name for path in (tmp_path / "run" / STATE).iterdir()] == ["step-000000002"]
    shutil.copytree(tmp_path / "run", tmp_path / "again")
    shutil.copytree(tmp_path / "run", tmp_path / "stateless")
    first, second = (learn(tmp_path / place, 4) for place in ("run", "again"))
    assert outcome(tmp_path / "run")[0] == outcome(tmp_path / "again")[0]
    assert [row["step"] for row in second.history_.rows] == [1, 2, 3, 4]
    whole = learn(tmp_path / "whole", 4)
    same = np.array_equal(first.transform(texts), whole.transform(texts))
    assert same == (name == "glove")  # whose steps follow no schedule
    rates = [row["learning_rate"] for row in first.history_.rows]
    assert rates[:2] == rates[2:]
    learn(tmp_path / "run", 4)
    assert [path.name for path in (tmp_path / "run" / STATE).iterdir()] == ["step-000000004"]
    shutil.rmtree(tmp_path / "stateless" / STATE)
    with pytest.raises(ValueError, match="must hold the tables of step 2"):
        learn(tmp_path / "stateless", 4)


def test_what_follows_progress_begins_again(tmp_path: Path) -> None:
    """A teacher's momentum, say: it would stand still at the end of a training."""
    seen: list[float] = []
    fit(tmp_path / "run", name="byol")
    method = quick("byol", epochs=4)
    method.after_step = seen.append  # type: ignore[method-assign]
    method.fit(some_digits(), run=tmp_path / "run", resume=True)
    assert seen == pytest.approx([step / N for step in range(N)])


def test_a_pace_of_minutes_counts_from_the_extension() -> None:
    pace = Pace(20, 2.0, step=10, seconds=60.0, begun=(10, 60.0))
    assert pace.progress == 0.0
    pace.seconds, pace.step = 90.0, 12
    assert pace.progress == 0.5
    pace.step = 18
    assert pace.progress == 0.8


def test_minutes(tmp_path: Path) -> None:
    """A run that its minutes ended goes on with more of them, or none."""
    short = {"epochs": 10_000, "max_minutes": 0.01}
    first = fit(tmp_path / "run", **short).history_.rows[-1]["step"]
    assert fit(tmp_path / "run", resume=True, **short).history_.rows[-1]["step"] == first
    with pytest.raises(ValueError, match="max_minutes counts from a run's beginning"):
        fit(tmp_path / "run", resume=True, **short | {"epochs": 20_000})
    longer = fit(tmp_path / "run", resume=True, **short | {"max_minutes": 0.03})
    assert longer.history_.rows[-1]["step"] > first
    assert longer.history_.rows[-1]["seconds"] >= 1.8
    assert longer.extensions_[0].step == first
    assert longer.extensions_[0].epochs == pytest.approx(first / 4, abs=1e-3)
