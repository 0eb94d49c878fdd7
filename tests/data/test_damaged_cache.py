"""Entries of the cache that were cut short, changed or half deleted are noticed and built again, for every kind."""

import json
import logging
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import replearn.data.cache
from replearn.data import as_samples, token_stream, train_tokenizer
from replearn.data.cache import SEAL, cached

TEXTS = ["one small text", "another one", "a third text that is longer"]


def images(draw, tmp_path):
    root = draw("cat/1.png", "dog/2.png", "dog/3.png")

    def read():
        samples = as_samples(root)
        return samples[np.arange(3)].x.numpy().tolist(), list(samples.names), samples.labels.tolist()

    return read


def texts(draw, tmp_path):
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": text, "label": text[0]}) + "\n" for text in TEXTS))

    def read():
        samples = as_samples(path)
        return [samples.texts[i] for i in range(3)], samples.labels.tolist()

    return read


def tokens(draw, tmp_path):
    samples = as_samples(TEXTS)
    tokenizer = train_tokenizer(TEXTS, size=300)

    def read():
        stream = token_stream(samples, tokenizer)
        return np.asarray(stream.ids).tolist(), np.asarray(stream.ends).tolist()

    return read


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-1])


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=times)  # as a disk would do it: without a trace


def emptied(path):
    path.write_bytes(b"")


def other_rows(path):
    np.save(path, np.zeros((7, 1, 2, 2), np.uint8), allow_pickle=False)
    if path.suffix != ".npy":
        path.with_name(path.name + ".npy").rename(path)


def gone(path):
    path.unlink()


@pytest.mark.parametrize("harm", [cut_short, flipped, emptied, other_rows, gone])
@pytest.mark.parametrize("kind", [images, texts, tokens])
def test_every_damage_to_every_file_is_mended(cache, draw, tmp_path, caplog, kind, harm):
    read = kind(draw, tmp_path)
    expected = read()
    (entry,) = (path for path in cache.iterdir() if path.is_dir())
    files = sorted(path for path in entry.iterdir() if path.stat().st_size)
    assert len(files) >= 3
    for path in files:
        harm(path)
        caplog.clear()
        with caplog.at_level(logging.WARNING, logger="replearn"):
            assert read() == expected
        assert [record.getMessage().count("is damaged") for record in caplog.records] == [1], path
        caplog.clear()
        assert read() == expected
        assert not caplog.records
    assert [path for path in cache.iterdir() if path.is_dir()] == [entry]


def test_a_half_deleted_folder(cache, draw, tmp_path):
    read = images(draw, tmp_path)
    expected = read()
    (entry,) = (path for path in cache.iterdir() if path.is_dir())
    shutil.rmtree(entry)
    entry.mkdir()
    assert read() == expected


def test_rows_that_are_open_stay_readable(cache, draw):
    root = draw("1.png", "2.png")
    samples = as_samples(root)
    before = samples[np.arange(2)].x
    (entry,) = (path for path in cache.iterdir() if path.is_dir())
    gone(entry / SEAL)
    as_samples(root)
    np.testing.assert_array_equal(samples[np.arange(2)].x, before)


def raising(*_):
    raise AssertionError


def test_long_files_are_read_again_only_if_they_changed(cache, monkeypatch):
    monkeypatch.setattr(replearn.data.cache, "READ_WHOLE", 3)
    entry = cached("thing", lambda folder: (folder / "part").write_text("whole") and None)
    with monkeypatch.context() as unread:
        unread.setattr(replearn.data.cache, "file_checksum", raising)
        assert cached("thing", raising) == entry
    (entry / "part").write_text("other")
    cached("thing", lambda folder: (folder / "part").write_text("again") and None)
    assert (entry / "part").read_text() == "again"


MEND = """
import sys, importlib.util
spec = importlib.util.spec_from_file_location("cache", sys.argv[1])
cache = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cache)
entry = cache.cached("thing", lambda folder: [(folder / name).write_text(name * 1000) for name in "abc"] and None)
print(*(len((entry / name).read_text()) for name in "abc"))
"""


@pytest.mark.parametrize("locks", [True, False])
def test_many_mend_one_entry_at_once(cache, locks):
    """None sees a half entry, and one whole entry is left."""
    entry = cached(
        "thing", lambda folder: [(folder / name).write_text(name * 1000) for name in "abc"] and None
    )
    cut_short(entry / "b")
    code = MEND if locks else MEND.replace("entry =", "cache.fcntl = None\nentry =")

    def start(_):
        command = [sys.executable, "-c", code, replearn.data.cache.__file__]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(start, range(6)))
    assert [(run.stdout, run.returncode) for run in done] == [("1000 1000 1000\n", 0)] * 6, done
    assert [path.name for path in cache.iterdir() if path.is_dir()] == ["thing"]
