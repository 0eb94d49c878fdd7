"""The cache: two processes at once, a kill half-way, a full disk, a folder that cannot be written."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import replearn.data.cache
from replearn.data import CacheError, as_samples, folder
from replearn.data.cache import ArrayWriter, cache_folder, cached

BUILD = """
import sys, time
from pathlib import Path
import importlib.util

# The file alone: importing torch as well would take most of the test's time.
spec = importlib.util.spec_from_file_location("cache", sys.argv[2])
cache = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cache)

def build(folder):
    print("building", flush=True)
    (folder / "part").write_text("half")
    time.sleep(float(sys.argv[1]))
    (folder / "part").write_text("whole")

print(cache.cached("thing", build).joinpath("part").read_text(), flush=True)
"""


def start(seconds):
    command = [sys.executable, "-c", BUILD, str(seconds), replearn.data.cache.__file__]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_where(monkeypatch):
    monkeypatch.delenv("REPLEARN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/some/cache")
    assert cache_folder() == Path("/some/cache/replearn")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "replearn"


def test_two_processes_build_one_entry(cache):
    both = [start(0.5), start(0.5)]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert sorted(said) == ["building\nwhole\n", "whole\n"]
    assert [path.name for path in cache.iterdir() if path.is_dir()] == ["thing"]


def test_without_locks_both_build_and_the_first_wins(cache, monkeypatch):
    monkeypatch.setattr("replearn.data.cache.fcntl", None)

    def slow(temporary):
        cached("thing", lambda other: (other / "part").write_text("fast") and None)
        (temporary / "part").write_text("slow")

    assert (cached("thing", slow) / "part").read_text() == "fast"
    assert [path.name for path in cache.iterdir() if path.is_dir()] == ["thing"]


def test_kill_half_way_leaves_nothing_broken(cache):
    process = start(60)
    assert process.stdout.readline() == "building\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    (rest,) = cache.glob("thing.tmp-*")
    entry = cached("thing", lambda temporary: (temporary / "part").write_text("new") and None)
    assert (entry / "part").read_text() == "new"
    assert not rest.exists()


def test_rest_of_another_killed_build_is_cleared(cache):
    rest = cache / "other.tmp-abc"
    rest.mkdir()
    cached("thing", lambda temporary: None)
    assert not rest.exists()


def test_a_running_build_of_something_else_is_left_alone(cache):
    process = start(60)
    try:
        assert process.stdout.readline() == "building\n"
        cached("other", lambda temporary: None)
        assert list(cache.glob("thing.tmp-*"))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_failed_build_leaves_nothing(cache):
    with pytest.raises(RuntimeError):
        cached("thing", raising(RuntimeError("stop")))
    assert not [path for path in cache.iterdir() if path.is_dir()]


def raising(error):
    def build(temporary):
        (temporary / "part").write_text("half")
        raise error

    return build


@pytest.mark.parametrize("where", ["posix_fallocate", "fsync"])
def test_no_space_left(cache, draw, monkeypatch, where):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, where, full)
    with pytest.raises(CacheError, match=r"must have room.*MB left.*REPLEARN_CACHE") as error:
        as_samples(draw("a.png", "b.png"))
    assert error.value.errno == errno.ENOSPC
    assert isinstance(error.value, ValueError)
    assert not [path for path in cache.iterdir() if path.is_dir()]
    monkeypatch.undo()


def test_read_only_cache(draw, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(CacheError, match=r"must be writable.*Set REPLEARN_CACHE"):
        as_samples(draw("a.png"))


def test_cache_folder_that_is_a_file(draw, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REPLEARN_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(CacheError, match="must be writable"):
        as_samples(draw("a.png"))


def test_a_filled_cache_needs_no_writing(draw, monkeypatch):
    root = draw("a.png")
    as_samples(root)
    monkeypatch.setattr("tempfile.mkdtemp", None)
    monkeypatch.setattr(Path, "mkdir", None)
    assert len(as_samples(root)) == 1


@pytest.mark.parametrize("kept", [0, 1, 999, 1000])
def test_writer_cuts_to_what_came(tmp_path, kept):
    path = tmp_path / "x.npy"
    rows = np.random.default_rng(0).integers(0, 256, (kept, 3, 5), dtype=np.uint8)
    with ArrayWriter(path, most=1000, shape=(3, 5)) as writer:
        room = path.stat()
        writer.append(rows[: kept // 2])
        writer.append(rows[kept // 2 :])
    assert room.st_size > 15_000
    assert room.st_blocks * 512 >= 15_000  # taken for real
    np.testing.assert_array_equal(np.load(path), rows)


def test_images_are_written_in_parts(draw, monkeypatch):
    monkeypatch.setattr(folder, "PART_BYTES", 3 * 8 * 8 * 3)
    root = draw(*(f"{number}.png" for number in range(8)))
    x = as_samples(root)[np.arange(8)].x
    for number in range(8):
        expected = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        np.testing.assert_array_equal(x[number], expected.transpose(2, 0, 1))
