"""A run folder has one owner: two processes at once, killed owners, owners elsewhere."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from children import QUICK, _context, finish, fit, little_digits, start
from sklearn.decomposition import PCA
from test_resume import outcome

from replearn.data import as_samples
from replearn.engine import owner
from replearn.engine.owner import OWNER, SILENT, check_owner, owned, owner_of
from replearn.engine.run import EVALUATION, HISTORY, METHOD, STATE, WEIGHTS
from replearn.methods.arrays import save_arrays
from replearn.methods.contrastive.simclr import SimCLR
from replearn.methods.load import load

LONG = {"epochs": 2000}


def fit_together(barrier, run: Path, folder: Path) -> None:
    """Fit at the same moment as others; what refused it goes into `folder`."""
    barrier.wait()
    try:
        fit(run)
    except ValueError as error:
        (folder / f"refused-{os.getpid()}").write_text(str(error))
        raise


def take_together(barrier, folder: Path, rounds: int) -> None:
    """Again and again take a folder whose owner is dead; never two at once."""
    for number in range(rounds):
        barrier.wait()
        if barrier.wait() == 0:
            (folder / OWNER).write_text(json.dumps(gone()))
        barrier.wait()
        try:
            with owned(folder):
                (folder / "inside").touch(exist_ok=False)
                time.sleep(0.02)
                (folder / "inside").unlink()
                (folder / f"took-{number}-{os.getpid()}").touch()
        except ValueError:
            pass


def gone() -> dict[str, object]:
    """What a killed owner on this host leaves behind: its number belongs to another process now."""
    return owner._myself() | {"process": os.getppid(), "began": "long ago"}


def test_two_fits_at_once_into_one_new_folder(tmp_path: Path) -> None:
    assert finish(fit, tmp_path / "alone") == 0
    expected = outcome(tmp_path / "alone")
    for number in range(5):
        run, barrier = tmp_path / f"run-{number}", _context.Barrier(2)
        two = [start(fit_together, barrier, run, tmp_path) for _ in range(2)]
        for child in two:
            child.join(120)
        assert sorted(child.exitcode for child in two) == [0, 1]
        assert outcome(run) == expected
        assert {path.name for path in run.iterdir()} == {METHOD, WEIGHTS, HISTORY}
    told = [path.read_text() for path in tmp_path.glob("refused-*")]
    assert len(told) == 5
    assert all("one process at a time" in text or "holds a run already" in text for text in told)


def test_a_dead_owner_is_replaced_by_one_of_many(tmp_path: Path) -> None:
    barrier = _context.Barrier(4)
    crowd = [start(take_together, barrier, tmp_path, 8) for _ in range(4)]
    for child in crowd:
        child.join(60)
    assert [child.exitcode for child in crowd] == [0] * 4
    for number in range(8):
        assert list(tmp_path.glob(f"took-{number}-*"))


def waited_for(path: Path, pattern: str) -> None:
    end = time.monotonic() + 60
    while not list(path.glob(pattern)):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_run_that_is_training_is_not_resumed_until_its_owner_is_killed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = tmp_path / "run"
    child = start(fit, run, **LONG)
    waited_for(run, f"{STATE}/step-*")
    told = rf"one process at a time; process {child.pid} on .*, since .*, is at it. Wait"
    with pytest.raises(ValueError, match=told):
        fit(run, resume=True, **LONG)
    assert f"process {child.pid} on" in str(owner_of(run))
    with pytest.raises(ValueError, match=f"must have ended; process {child.pid} on"):
        load(run)
    assert child.is_alive()
    os.kill(child.pid, signal.SIGKILL)
    while owner_of(run):  # it is not waited for: a zombie is gone, too
        time.sleep(0.01)
    with caplog.at_level("INFO"), pytest.raises(ValueError, match=r"dim was 8, got 5"):
        fit(run, resume=True, dim=5, **LONG)
    assert f"taken over from process {child.pid} on" in caplog.text
    assert list(run.glob(f"{STATE}/step-*"))
    assert not (run / OWNER).exists()
    child.join(60)


def test_an_owner_elsewhere_is_respected_while_it_touches_its_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / OWNER
    path.write_text(json.dumps(owner._myself() | {"host": "elsewhere", "process": 7}))
    with pytest.raises(ValueError, match=rf"process 7 on elsewhere, .*\(If it is gone, delete {path}\.\)"):
        SimCLR(**QUICK).fit(little_digits(), run=tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == [OWNER]
    old = time.time() - SILENT - 5
    os.utime(path, (old, old))
    with caplog.at_level("INFO"), owned(tmp_path):
        assert json.loads(path.read_text())["process"] == os.getpid()
    assert "process 7 on elsewhere" in caplog.text


def test_a_file_that_says_nothing_counts_as_an_owner_while_it_is_young(tmp_path: Path) -> None:
    path = tmp_path / OWNER
    path.write_text("{")
    with pytest.raises(ValueError, match="another process is at it"), owned(tmp_path):
        pass
    os.utime(path, (1, 1))
    with owned(tmp_path):
        pass


def test_a_living_owner_touches_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "BEAT", 0.01)
    with owned(tmp_path):
        os.utime(tmp_path / OWNER, (1, 1))
        waited = time.monotonic() + 10
        while (tmp_path / OWNER).stat().st_mtime < 2 and time.monotonic() < waited:
            time.sleep(0.01)
        assert (tmp_path / OWNER).stat().st_mtime > 2


def test_an_owner_that_was_replaced_writes_no_more(tmp_path: Path) -> None:
    with owned(tmp_path):
        check_owner(tmp_path)
        (tmp_path / OWNER).write_text(json.dumps(owner._myself() | {"host": "b", "process": 7, "began": "x"}))
        with pytest.raises(ValueError, match="process 7 on b"):
            check_owner(tmp_path)
    assert (tmp_path / OWNER).exists()  # the other one's


def test_without_links_the_file_is_still_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    done = []
    with owned(tmp_path):
        thread = threading.Thread(target=lambda: done.append(_is_refused(tmp_path)))
        thread.start()
        thread.join()
    assert done == [True]


def _is_refused(folder: Path) -> bool:
    with pytest.raises(ValueError, match="one process at a time"), owned(folder):
        pass
    return True


def test_what_fails_removes_what_it_made_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    class Failing(SimCLR):
        def learn(self, samples: object, **_: object) -> None:
            raise RuntimeError

    Failing.__name__ = "SimCLR"
    with pytest.raises(RuntimeError):
        Failing(**QUICK).fit(little_digits(), run=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt"]


def keep_arrays(run: Path) -> None:
    digits = little_digits()
    save_arrays(PCA(1).fit(digits.reshape(len(digits), -1)), as_samples(digits), run)


def keep_networks(run: Path) -> None:
    SimCLR(**QUICK).fit(little_digits(), run=run)


OTHERS = {EVALUATION: "holds a comparison", HISTORY: "it holds history.csv", WEIGHTS: "it holds weights"}


@pytest.mark.parametrize("keep", [keep_arrays, keep_networks])
@pytest.mark.parametrize(("name", "told"), OTHERS.items())
def test_a_run_does_not_go_where_something_else_lies(tmp_path: Path, name: str, told: str, keep) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(ValueError, match=told):
        keep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
