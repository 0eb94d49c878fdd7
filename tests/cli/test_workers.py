"""Who looks after workers: the dead are replaced, not for ever, and all end together."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

import made_workers
from replearn.cli import workers
from replearn.cli.listening import _listening, _spread
from replearn.cli.workers import Workers


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def ask(port):
    """The number of the process that answers."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        return int(connection.recv(100) or 0)


def run(work, listening, meanwhile, *, count=2):
    """Workers, while a thread does something, after which Ctrl-C comes."""

    def first(worker):
        def visit():
            try:
                meanwhile()
            finally:
                os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=visit).start()

    Workers(work, listening, count).run(first)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_one_that_is_killed_is_replaced_and_all_end_together(listening, caplog):
    port, seen = listening.getsockname()[1], set()

    def meanwhile():
        first, until = ask(port), time.monotonic() + 30
        os.kill(first, signal.SIGKILL)
        while len(seen) < 2 and time.monotonic() < until:
            seen.update({ask(port)} - {first, 0})

    caplog.set_level("INFO", logger="replearn")
    with pytest.raises(KeyboardInterrupt):
        run(made_workers.answering, listening, meanwhile)
    assert len(seen) == 2
    assert not any(alive(pid) for pid in seen)
    told = [record.getMessage() for record in caplog.records]
    assert "died (SIGKILL); another one starts" in told[0]
    assert "answers, " in told[1]


def test_it_gives_up_where_none_can_live(listening, caplog, monkeypatch):
    monkeypatch.setattr(workers, "DEATHS", 3)
    with pytest.raises(ValueError, match=r"3 died in turn.*the last one exit code 9"):
        Workers(made_workers.shortlived, listening, 1).run(lambda _: None)
    assert len(caplog.records) == 2


def test_one_that_can_not_be_replaced_leaves_the_others(listening, caplog, monkeypatch):
    monkeypatch.setattr(workers, "DEATHS", 1)
    port = listening.getsockname()[1]

    def meanwhile():
        until = time.monotonic() + 30
        while "go on" not in caplog.text and time.monotonic() < until:
            time.sleep(0.05)
        assert ask(port)

    with pytest.raises(KeyboardInterrupt):
        run(made_workers.alone, listening, meanwhile)
    assert "it is not replaced; 1 of 2 workers go on" in caplog.text


@pytest.mark.all
def test_one_that_lived_long_does_not_count(listening, monkeypatch):
    monkeypatch.setattr(workers, "DEATHS", 2)
    monkeypatch.setattr(workers, "AT_ONCE", 0.0)
    port = listening.getsockname()[1]

    def meanwhile():
        for _ in range(2):
            gone = ask(port)
            os.kill(gone, signal.SIGKILL)
            while alive(gone):
                time.sleep(0.01)
        assert ask(port)

    with pytest.raises(KeyboardInterrupt):
        run(made_workers.answering, listening, meanwhile)


def test_what_the_first_one_can_not_is_said_once(listening):
    with pytest.raises(SystemExit) as stop:
        Workers(made_workers.refusing, listening, 2).run(lambda _: None)
    assert stop.value.code == 2
    with socket.create_server(("127.0.0.1", 0)) as another, pytest.raises(ValueError, match="SIGKILL"):
        Workers(made_workers.killed, another, 2).run(lambda _: None)


def test_one_that_does_not_end_is_killed(listening, caplog, monkeypatch):
    monkeypatch.setattr(workers, "GRACE", 0)
    monkeypatch.setattr(workers, "BEYOND", 0.2)
    with pytest.raises(KeyboardInterrupt):
        run(made_workers.stubborn, listening, lambda: None, count=1)
    assert "1 of 1 workers did not end and are killed" in caplog.text


@pytest.mark.all
def test_they_end_without_the_one_who_looks_after_them():
    code = """
import socket, made_workers
from replearn.cli.workers import Workers
with socket.create_server(("127.0.0.1", 0)) as place:
    Workers(made_workers.answering, place, 1).run(lambda one: print(one.process.pid, flush=True))
"""
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=os.environ | path) as one:
        assert one.stdout is not None
        pid = int(one.stdout.readline())
        assert alive(pid)
        one.kill()
    until = time.monotonic() + 30
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all workers accept at one socket")
def test_connections_are_spread_over_workers():
    with _listening("127.0.0.1", 0, shared=True) as shared:
        own = [_spread(shared) for _ in range(2)]
        for one in own:
            one.listen(100)
            one.setblocking(False)
        clients = [socket.create_connection(shared.getsockname(), timeout=20) for _ in range(60)]
        for one in own:
            taken = []
            with suppress(BlockingIOError):
                while True:
                    taken.append(one.accept()[0])
            assert 12 <= len(taken) <= 48  # outside of it once in a million runs
            clients += taken
        for one in (*own, *clients):
            one.close()


@pytest.mark.parametrize("both", [False, True])
def test_a_port_is_taken_also_while_no_worker_is_ready(both):
    """By two commands: one of them would get half of the other's requests."""
    with _listening("127.0.0.1", 0, shared=True) as shared:
        address = shared.getsockname()
        with pytest.raises(ValueError, match="--host and --port must be free to listen at"):
            _listening(*address, shared=both)
    with _listening(*address, shared=True) as again:
        assert again.getsockname() == address
