"""No space left, and folders that can't be written to: one clear line, and nothing whole is lost."""

import errno
import os
import resource
from pathlib import Path
from typing import ClassVar

import pytest
import safetensors.torch
import torch
from children import QUICK, built, finish, fit, little_digits
from safetensors import SafetensorError

from replearn.engine import run as run_module
from replearn.engine.checkpoint import KEPT, Checkpoints
from replearn.engine.history import read_rows
from replearn.engine.run import (
    HISTORY,
    METHOD,
    ROOM,
    STATE,
    WEIGHTS,
    CannotWrite,
    make_run,
    open_run,
    read_tensors,
    replacing,
    write_tensors,
)
from replearn.engine.train import train
from replearn.methods.contrastive.simclr import SimCLR
from replearn.methods.load import load

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def filling(
    monkeypatch: pytest.MonkeyPatch, *, after: int, until: int = 10**9, error: Exception = FULL
) -> None:
    """The disk is full from the tensor file number `after` on, up to number `until`."""
    save, count = run_module.save_file, 0

    def write(tensors: dict, path: Path, **options: object) -> None:
        nonlocal count
        count += 1
        if after <= count < until:
            Path(path).write_bytes(b"half")
            raise error
        save(tensors, path, **options)

    monkeypatch.setattr(run_module, "save_file", write)


@pytest.mark.parametrize("error", [FULL, SafetensorError("I/O error: No space left on device (os error 28)")])
def test_training_survives_a_full_disk(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    filling(monkeypatch, after=3, error=error)
    method, samples = built()
    train(method, samples, run=tmp_path)
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == 1
    assert "no checkpoint of step 3: " in told[0]
    assert "No space left on device" in told[0]
    assert ".part" not in told[0]
    assert [path.name for path in sorted((tmp_path / STATE).iterdir())] == [
        "step-000000001",
        "step-000000002",
    ]
    assert len(read_rows(tmp_path)) == 8


def test_space_that_comes_back_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filling(monkeypatch, after=3, until=6)
    method, samples = built()
    train(method, samples, run=tmp_path)
    assert sorted(path.name for path in (tmp_path / STATE).iterdir()) == ["step-000000006", "step-000000007"]


def test_weights_that_can_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filling(monkeypatch, after=8)
    with pytest.raises(ValueError, match=rf"{WEIGHTS} must be writable; it is not \(No space left"):
        SimCLR(**QUICK).fit(little_digits(), run=tmp_path / "run")
    monkeypatch.undo()
    method = SimCLR(**QUICK).fit(little_digits(), run=tmp_path / "run", resume=True)
    expected = SimCLR(**QUICK).fit(little_digits(), run=tmp_path / "other")
    for name, value in expected.encoder_.state_dict().items():
        assert torch.equal(value, method.encoder_.state_dict()[name])


def test_a_history_that_can_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened, calls = Path.open, 0

    def fail(self: Path, mode: str = "r", **options: object) -> object:
        nonlocal calls
        calls += mode == "a"
        if mode == "a" and calls >= 3:
            with opened(self, "a") as file:
                file.write("3,0.")
            raise FULL
        return opened(self, mode, **options)

    monkeypatch.setattr(Path, "open", fail)
    method, samples = built(checkpoint_minutes=100.0)
    train(method, samples, run=tmp_path)
    monkeypatch.undo()
    assert caplog.text.count("lacks rows from step 3 on") == 1
    assert [row["step"] for row in read_rows(tmp_path)] == list(range(1, 9))


def test_folders_that_can_not_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(ValueError, match="the run folder must be writable"):
            make_run(path)

    def refuse(self: Path, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(ValueError, match="Read-only file system"):
        make_run(tmp_path / "run")


def test_replacing_leaves_the_old_file_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "a b.json"
    path.write_text("old")
    for error, expected in ((FULL, CannotWrite), (KeyboardInterrupt(), KeyboardInterrupt)):
        with pytest.raises(expected), replacing(path) as part:  # noqa: PT012
            part.write_text("new")
            raise error
        assert [entry.name for entry in tmp_path.iterdir()] == ["a b.json"]
        assert path.read_text() == "old"


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / WEIGHTS
    write_tensors(path, {"a": torch.randn(2, 3), "b": torch.tensor(3), "c": torch.ones(0, 2)})
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(ValueError, match=rf"{WEIGHTS} must be "):
            read_tensors(path)


def test_tensors_of_earlier_versions_have_no_checksum_and_are_read(tmp_path: Path) -> None:
    safetensors.torch.save_file({"a": torch.ones(3)}, tmp_path / WEIGHTS)
    assert torch.equal(read_tensors(tmp_path / WEIGHTS)["a"], torch.ones(3))


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_files_have_the_mode_that_the_user_wants(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        SimCLR(**QUICK).fit(little_digits(), run=tmp_path / "run")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "run").iterdir()}
    assert set(modes.values()) == {0o666 & ~mask}, modes
    assert WEIGHTS in modes


def limited(run: Path, limit: int, **fields: object) -> None:
    """A training whose files may not be larger than `limit` bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    with pytest.raises(CannotWrite, match=rf"{WEIGHTS} must be writable; .* MB are needed"):
        fit(run, **fields)


@pytest.mark.all
def test_a_disk_without_room_for_the_weights_is_told_before_training(tmp_path: Path) -> None:
    assert finish(limited, tmp_path / "run", 60_000, checkpoint_minutes=100.0) == 0
    assert not list((tmp_path / "run").iterdir())


def test_room_for_the_weights_is_set_aside_while_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Looking(SimCLR):
        sizes: ClassVar[list[int]] = []

        def after_step(self, progress: float) -> None:
            self.sizes.append((tmp_path / "run" / ROOM).stat().st_size)

    Looking.__name__ = "SimCLR"
    Looking(**QUICK).fit(little_digits(), run=tmp_path / "run")
    assert min(Looking.sizes) >= (tmp_path / "run" / WEIGHTS).stat().st_size
    assert not (tmp_path / "run" / ROOM).exists()


def test_a_disk_that_is_full_at_the_end_of_a_short_fit_takes_nothing_that_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filling(monkeypatch, after=1)
    method = SimCLR(**QUICK | {"checkpoint_minutes": 100.0})
    with pytest.raises(CannotWrite):
        method.fit(little_digits(), run=tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} == {METHOD, HISTORY}
    monkeypatch.undo()
    method.save(tmp_path / "elsewhere")  # what was learned is there
    assert load(tmp_path / "elsewhere").transform(little_digits()).shape == (32, 128)


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"\xff" * 100])
def test_broken_tensors_are_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / WEIGHTS
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{WEIGHTS} must be a whole safetensors file"):
        read_tensors(path)


def test_tied_tensors_are_written(tmp_path: Path) -> None:
    weight = torch.arange(6.0).view(2, 3)
    write_tensors(tmp_path / WEIGHTS, {"a": weight, "b": weight, "c": weight.T})
    assert torch.equal(read_tensors(tmp_path / WEIGHTS)["c"], weight.T)


def test_runs_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must hold method\.json"):
        open_run(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/method.json").write_text("{}")
    (tmp_path / "run" / WEIGHTS).symlink_to("/etc/hostname")
    with pytest.raises(ValueError, match="points outside"):
        open_run(tmp_path / "run")


def test_as_many_checkpoints_as_said_are_kept(tmp_path: Path) -> None:
    net = torch.nn.Linear(2, 2)
    checkpoints = Checkpoints(tmp_path / STATE, net, torch.optim.AdamW(net.parameters()))
    for step in range(1, 6):
        assert checkpoints.save(step, {"step": step})
    assert sorted(path.name for path in (tmp_path / STATE).iterdir()) == ["step-000000004", "step-000000005"]
    assert KEPT == 2
    assert checkpoints.load() == {"step": 5}


def test_moments_come_back_in_the_order_of_memory_of_their_weights(tmp_path: Path) -> None:
    net = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), fused=True)
    net(torch.randn(2, 3, 5, 5)).sum().backward()
    optimizer.step()
    Checkpoints(tmp_path / STATE, net, optimizer).save(1, {})
    again = torch.optim.AdamW(net.parameters(), fused=True)
    Checkpoints(tmp_path / STATE, net, again).load()
    for p in net.parameters():
        for name in ("exp_avg", "exp_avg_sq"):
            assert again.state[p][name].stride() == p.stride() == optimizer.state[p][name].stride()
            assert torch.equal(again.state[p][name], optimizer.state[p][name])
