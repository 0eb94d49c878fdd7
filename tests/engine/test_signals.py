"""Ctrl-C and SIGTERM: the step ends, the state is saved, the message says how to go on."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from children import QUICK, built, finish, fit, start, train_until_stopped

from replearn.cli.failures import guarded
from replearn.engine import signals
from replearn.engine.pace import Pace
from replearn.engine.run import STATE, WEIGHTS
from replearn.engine.signals import Stopped, StopSignal
from replearn.engine.train import stopped, train
from replearn.methods.contrastive.simclr import SimCLR


class Interrupting(SimCLR):
    """Sends itself a signal in the third step."""

    def after_step(self, progress: float) -> None:
        self.steps = getattr(self, "steps", 0) + 1
        if self.steps == 3:
            os.kill(os.getpid(), signal.SIGINT)


def interrupting() -> tuple[Interrupting, object]:
    method, samples = built()
    method.__class__ = Interrupting
    return method, samples  # type: ignore[return-value]


def test_a_signal_ends_the_step_and_saves(tmp_path: Path) -> None:
    method, samples = interrupting()
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(
        Stopped, match=r"stopped at step 3 of 8; all is saved\. .*--resume .*resume=True"
    ) as caught:
        train(method, samples, run=tmp_path)
    assert caught.value.signal == signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is before
    assert (tmp_path / STATE / "step-000000003").is_dir()


def test_a_stopped_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    fields = {"checkpoint_minutes": 100.0, "epochs": 40}
    child = start(fit, tmp_path / "stopped", **fields)
    while not (tmp_path / "stopped/history.csv").exists():
        time.sleep(0.01)
    time.sleep(0.1)
    os.kill(child.pid, signal.SIGINT)
    child.join(60)
    assert child.exitcode == 1  # KeyboardInterrupt
    assert len(list((tmp_path / "stopped" / STATE).glob("step-*"))) == 1
    assert finish(fit, tmp_path / "stopped", resume=True, **fields) == 0
    assert finish(fit, tmp_path / "unbroken", **fields) == 0
    assert (tmp_path / "stopped" / WEIGHTS).read_bytes() == (tmp_path / "unbroken" / WEIGHTS).read_bytes()


def test_without_a_run_folder_signals_keep_their_meaning() -> None:
    method, samples = interrupting()
    with pytest.raises(KeyboardInterrupt) as caught:
        train(method, samples)
    assert not isinstance(caught.value, Stopped)


def test_the_second_signal_does_what_it_always_does(monkeypatch: pytest.MonkeyPatch) -> None:
    with StopSignal(saves=True) as stop:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(
            os.getpid(), signal.SIGINT
        )  # an echo: a launcher passes on what the terminal has sent already
        assert stop.asked == signal.SIGINT
        monkeypatch.setattr(signals, "ECHO", 0.0)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_outside_of_the_main_thread_nothing_is_caught(tmp_path: Path) -> None:
    method, samples = built()
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(len(train(method, samples, run=tmp_path).rows)))
    thread.start()
    thread.join()
    assert done == [8]


def test_ignored_signals_stay_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with StopSignal(saves=True) as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert not stop.asked
    finally:
        signal.signal(signal.SIGINT, before)


def test_sigterm_stops_a_process(tmp_path: Path) -> None:
    child = start(train_until_stopped, tmp_path)
    while not list(tmp_path.glob(f"{STATE}/step-*")) and child.is_alive():
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGTERM)
    child.join(60)
    assert child.exitcode == 0
    assert (tmp_path / "stopped-0").read_text().startswith(f"{signal.SIGTERM.value} stopped at step ")
    assert QUICK["checkpoint_minutes"] == 0.0


@pytest.mark.parametrize(("saved", "told"), [(True, "all is saved"), (False, "an earlier one is kept")])
def test_a_stopped_command_says_once_how_to_go_on_and_what_was_saved(
    saved: bool, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        raise stopped(Pace(8, None, step=3), Path("runs/x"), signal.SIGTERM, saved=saved)

    assert guarded(work, ["fit", "simclr", "digits"]) == 128 + signal.SIGTERM
    said = " ".join(capsys.readouterr().err.split())
    assert told in said
    assert ("all is saved" in said) == saved
    assert said.count("--resume") == 1
