"""A run that is killed at any instant and resumed ends with the bits of one that was not."""

import csv
import json
import os
import random
import shutil
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from children import QUICK, finish, fit, fit_and_die, little_digits, some_digits, start

from lanes import one_of_each
from replearn.engine.run import HISTORY, METHOD, STATE, WEIGHTS
from replearn.methods.contrastive.simclr import SimCLR

KILLED = -9
# What makes a training compute differently, and so must come back differently.
VARIANTS = {
    "plain": {},
    "accumulate": {"accumulate": 2, "epochs": 4},
    "slices": {"slice_size": 3},
    "sgd": {"optimizer": "sgd"},
    "lars": {"optimizer": "lars"},
    "bfloat16": {"precision": "bf16-mixed"},
}


def outcome(run: Path) -> tuple[bytes, list[tuple[str, ...]]]:
    """The weights, and what of the history does not tell the time."""
    columns = ("step", "loss", "learning_rate", "effective_rank", "spread")
    with (run / HISTORY).open(newline="") as file:
        return (run / WEIGHTS).read_bytes(), [
            tuple(row[name] for name in columns) for row in csv.DictReader(file)
        ]


class Unbroken(dict[str, tuple[bytes, list[tuple[str, ...]]]]):
    """The outcome of each variant without a kill, trained when it is asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, name: str) -> tuple[bytes, list[tuple[str, ...]]]:
        assert finish(fit, self.folder / name, **VARIANTS[name]) == 0
        self[name] = outcome(self.folder / name)
        return self[name]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    return Unbroken(tmp_path_factory.mktemp("unbroken"))


@pytest.mark.all
def test_variants_compute_differently(unbroken) -> None:
    assert len({unbroken[name][0] for name in VARIANTS}) == len(VARIANTS)


@pytest.mark.parametrize("name", one_of_each(VARIANTS, ["plain", "accumulate", "slices"]))
def test_variants_resume_exactly(name: str, tmp_path: Path, unbroken) -> None:
    fields = VARIANTS[name]
    assert finish(fit_and_die, tmp_path / "run", 75, **fields) == KILLED
    assert sorted((tmp_path / "run" / STATE).glob("step-*"))
    assert finish(fit, tmp_path / "run", resume=True, **fields) == 0
    assert outcome(tmp_path / "run") == unbroken[name]


@pytest.mark.parametrize(
    "at", [1, 22, 47, 110, *(pytest.param(at, marks=pytest.mark.all) for at in (4, 13, 31, 40, 68, 89, 131))]
)
def test_a_kill_before_any_file_operation(at: int, tmp_path: Path, unbroken) -> None:
    assert finish(fit_and_die, tmp_path / "run", at) == KILLED
    assert finish(fit, tmp_path / "run", resume=True) == 0
    assert outcome(tmp_path / "run") == unbroken["plain"]
    assert not list((tmp_path / "run").rglob(".*"))


def test_kills_at_random_instants_and_within_a_write(tmp_path: Path, unbroken) -> None:
    run = tmp_path / "run"
    for round in range(3):
        child = start(fit, run, resume=True)
        before = newest(run)
        while newest(run) == before and child.is_alive():
            time.sleep(0.001)  # each round comes further, so that the rounds end
        time.sleep(random.random() * 0.05)
        end = time.monotonic() + 0.2
        while round > 0 and time.monotonic() < end and not in_state(run, ".*.part"):
            pass
        child.kill()
        child.join()
    assert finish(fit, run, resume=True) == 0
    assert outcome(run) == unbroken["plain"]
    assert not list(run.rglob(".*"))


def test_many_kills_one_after_another(tmp_path: Path, unbroken) -> None:
    for at in (30, 45, 52):
        assert finish(fit_and_die, tmp_path / "run", at, resume=True) == KILLED
    assert finish(fit, tmp_path / "run", resume=True) == 0
    assert outcome(tmp_path / "run") == unbroken["plain"]


def newest(run: Path) -> str:
    return max(in_state(run, "step-*"), default="")


def in_state(run: Path, pattern: str) -> list[str]:
    """Names in the folder of checkpoints, which goes when the run ends: while it is read, too."""
    with suppress(FileNotFoundError):
        return [path.name for path in (run / STATE).glob(pattern)]
    return []


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed with two checkpoints there."""
    run = tmp_path_factory.mktemp("killed") / "run"
    assert finish(fit_and_die, run, 100) == KILLED
    assert len(list(run.glob(f"{STATE}/step-*"))) == 2
    return run


@pytest.fixture
def copy(killed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(killed, tmp_path / "copy"))


def resume(run: Path, **fields: object) -> SimCLR:
    torch.set_num_threads(1)
    return SimCLR(**{**QUICK, **fields}).fit(some_digits(), run=run, resume=True)


@pytest.mark.parametrize("file", ["tensors.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "flipped"])
def test_a_broken_checkpoint_gives_way_to_the_one_before(
    file: str, damage: str, copy: Path, unbroken, caplog: pytest.LogCaptureFixture
) -> None:
    damaged(copy / STATE / newest(copy) / file, damage)
    resume(copy)
    assert "going back" in caplog.text
    assert outcome(copy) == unbroken["plain"]


def test_all_checkpoints_broken(copy: Path) -> None:
    for path in copy.glob(f"{STATE}/step-*/tensors.safetensors"):
        damaged(path, "cut")
    with pytest.raises(ValueError, match=r"no checkpoint in .* is whole: .*tensors.safetensors must be"):
        resume(copy)


def damaged(file: Path, damage: str) -> None:
    if damage == "gone":
        file.unlink()
        return
    if damage == "flipped":  # a bit in the middle: of a tensor, or of a number
        content = bytearray(file.read_bytes())
        content[content.rindex(b"1") if file.suffix == ".json" else len(content) // 2] ^= 1
        file.write_bytes(content)
        return
    os.truncate(file, 0 if damage == "empty" else file.stat().st_size // 2)


def test_left_over_parts_of_our_own_number_do_no_harm(copy: Path, unbroken) -> None:
    for step in range(1, 9):
        part = copy / STATE / f".step-{step:09d}.{os.getpid()}.part"
        part.mkdir()
        (part / "tensors.safetensors").write_text("half")
    (copy / f".{WEIGHTS}.{os.getpid()}.part").write_text("half")
    resume(copy)
    assert outcome(copy) == unbroken["plain"]
    assert not list(copy.rglob(".*"))


def test_a_folder_with_anothers_checkpoints_is_refused(copy: Path, tmp_path: Path) -> None:
    shutil.copytree(copy / STATE, tmp_path / "run" / STATE)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match=r"it holds state\. Move it, or choose another folder\."):
        SimCLR(**QUICK).fit(some_digits(), run=tmp_path / "run")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_run_that_has_ended_is_not_trained_again(copy: Path) -> None:
    resume(copy)
    weights = (copy / WEIGHTS).stat().st_mtime_ns
    again = resume(copy)
    assert (copy / WEIGHTS).stat().st_mtime_ns == weights
    assert np.isfinite(again.transform(little_digits())).all()


def test_other_fields_or_samples_are_refused(copy: Path) -> None:
    with pytest.raises(ValueError, match=r"temperature was 0\.5, got 0\.1"):
        resume(copy, temperature=0.1)
    with pytest.raises(ValueError, match="samples it began with"):
        SimCLR(**QUICK).fit(255 - little_digits(), run=copy, resume=True)


def test_a_field_that_is_younger_than_the_run_had_its_default(copy: Path) -> None:
    path = copy / METHOD
    recipe = json.loads(path.read_text(encoding="utf-8"))
    del recipe["fields"]["weight_decay"]
    path.write_text(json.dumps(recipe), encoding="utf-8")
    with pytest.raises(ValueError, match=r"weight_decay was 0\.0001, got 0\.5"):
        resume(copy, weight_decay=0.5)
    assert np.isfinite(resume(copy).transform(little_digits())).all()


def test_a_checkpoint_of_another_network_is_refused(copy: Path) -> None:
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 4))
    from replearn.engine.checkpoint import Checkpoints

    checkpoints = Checkpoints(copy / STATE, net, torch.optim.AdamW(net.parameters()))
    with pytest.raises(ValueError, match=r"step-0.* must be of this method and encoder; it is not"):
        checkpoints.load()
