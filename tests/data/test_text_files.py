"""Text files become samples, whatever is in them, in bounded memory."""

import gzip
import logging
import os
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image

from replearn.data import DataWarning, TextSamples, as_samples
from replearn.data import text_files as module
from replearn.data.text_files import LONGEST_FILE, LONGEST_LINE


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def texts(samples):
    return list(samples[np.arange(len(samples))].x)


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "A.TXT"])
def test_one_sample_per_line_that_is_not_blank(tmp_path, name):
    path = write(tmp_path / name, "\ufeffto be\r\n\n  or näht ☃ \n \t \nto be")
    samples = as_samples(path)
    assert isinstance(samples, TextSamples)
    assert texts(samples) == ["to be", "  or näht ☃ ", "to be"]
    assert samples.labels is None
    assert samples.names is None


def test_labels_of_lines(tmp_path):
    path = write(tmp_path / "a.txt", "one\ntwo\n")
    assert as_samples(path, ["x", "y"]).classes == ("x", "y")
    with pytest.raises(ValueError, match="got 3 labels for 2 samples"):
        as_samples(path, [1, 2, 3])


@pytest.mark.parametrize("block", [1, 2, 3, 5, 7, 64])
def test_blocks_do_not_show(tmp_path, monkeypatch, block):
    monkeypatch.setattr(module, "BLOCK", block)
    lines = ["a", "bb☃", "", "ccc", " ", "ä" * 9]
    assert texts(as_samples(write(tmp_path / "a.txt", "\n".join(lines)))) == ["a", "bb☃", "ccc", "ä" * 9]


@pytest.mark.parametrize("content", [b"", b"\n\n \n\t\r\n", b"\xef\xbb\xbf"])
def test_nothing_in_it(tmp_path, content, cache):
    path = write(tmp_path / "a.txt", content)
    with pytest.raises(ValueError, match="at least one text with a character; it holds none") as error:
        as_samples(path)
    assert "\n" not in str(error.value)
    assert not list(cache.glob("texts-*[!k]"))  # but the lock


def test_bytes_that_are_no_utf8_are_replaced_and_counted(tmp_path):
    path = write(tmp_path / "a.txt", b"good\nb\xffad\n\xc3\n\xed\xa0\x80 surrogate\n")
    for _ in range(2):
        with pytest.warns(DataWarning, match="3 texts hold bytes that are no UTF-8") as found:
            samples = as_samples(path)
        assert len(found) == 1
        assert texts(samples) == ["good", "b�ad", "�", "��� surrogate"]
    with pytest.raises(ValueError, match=r"strict: .*3 texts"):
        as_samples(path, strict=True)


@pytest.mark.parametrize("mark", ["utf-16", "utf-16-be"])
def test_utf16_is_refused(tmp_path, mark):
    path = write(
        tmp_path / "a.txt", "\ufeffhello".encode(mark) if mark.endswith("be") else "hello".encode(mark)
    )
    with pytest.raises(ValueError, match="must be UTF-8; it begins as UTF-16"):
        as_samples(path)


def test_a_damaged_pack(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(os.urandom(2000))[:800])
    with pytest.raises(ValueError, match="must be a whole file"):
        as_samples(path)


@pytest.mark.parametrize("sign", ["a", "ä", "☃", "𝄞", "ab "])
def test_an_endless_line_becomes_pieces(tmp_path, monkeypatch, sign):
    monkeypatch.setattr(module, "BLOCK", 1000)
    monkeypatch.setattr(module, "LONGEST_LINE", 100)
    line = sign * 900
    path = write(tmp_path / "a.txt", f"first\n{line}\nlast\n{line}")
    with pytest.warns(DataWarning, match="2 texts are longer than 100 bytes and were cut"):
        samples = as_samples(path)
    found = texts(samples)
    assert "".join(found) == f"first{line}last{line}"
    assert max(len(text.encode()) for text in found) <= 100
    assert found[0] == "first"
    assert "last" in found
    if sign == "ab ":
        assert all(text.endswith(" ") for text in found[1 : found.index("last")])


def test_only_bytes_that_continue(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LONGEST_LINE", 100)
    with pytest.warns(DataWarning, match="no UTF-8.*cut"):
        assert len(as_samples(write(tmp_path / "a.txt", b"\x80" * 1000))) == 11


def test_a_changed_file_is_read_again(tmp_path):
    path = write(tmp_path / "a.txt", "one")
    assert texts(as_samples(path)) == ["one"]
    write(path, "two")
    assert texts(as_samples(path)) == ["two"]


def test_built_once(tmp_path, monkeypatch):
    path = write(tmp_path / "a.txt", "one")
    as_samples(path)
    monkeypatch.setattr(module, "blocks", None)
    assert texts(as_samples(path)) == ["one"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_of_texts(tmp_path, packed):
    for name, content in {
        "b/2.txt": "two\nlines",
        "a/1.txt": "one",
        "a/x.md": "-",
        "b/.h.txt": "hidden",
    }.items():
        write(tmp_path / "set" / name, content)
    path = tmp_path / "set"
    if packed:
        path = tmp_path / "set.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in (tmp_path / "set").rglob("*.*"):
                archive.write(file, file.relative_to(tmp_path / "set"))
    samples = as_samples(path)
    assert texts(samples) == ["one", "two\nlines"]
    assert list(samples.names) == ["a/1.txt", "b/2.txt"]
    assert samples.classes == ("a", "b")
    assert samples.labels.tolist() == [0, 1]
    assert as_samples(path, [4, 5]).labels.tolist() == [4, 5]
    assert as_samples(path, classes=("b", "a")).labels.tolist() == [1, 0]


def test_labels_of_a_folder_by_file(tmp_path):
    for name in ("a.txt", "b.txt"):
        write(tmp_path / "set" / name, name)
    labels = write(tmp_path / "labels.csv", "file,label\nb.txt,dog\na.txt,cat\n")
    samples = as_samples(tmp_path / "set", labels)
    assert samples.classes == ("cat", "dog")
    assert samples.labels.tolist() == [0, 1]


def test_splits_are_no_classes(tmp_path):
    for name in ("train/a/1.txt", "test/a/1.txt"):
        write(tmp_path / name, "text")
    with pytest.raises(ValueError, match="one set of texts; it holds the parts test, train"):
        as_samples(tmp_path)


def test_files_without_a_text_are_left_out(tmp_path):
    for name, content in {"a": b"one", "b": b"", "c": b" \n", "d": "two".encode("utf-16")}.items():
        write(tmp_path / "set" / f"{name}.txt", content)
    with pytest.warns(DataWarning, match="3 files were left out: 'b.txt' has no character"):
        samples = as_samples(tmp_path / "set")
    assert texts(samples) == ["one"]
    assert [name for name, _ in samples.skipped] == ["b.txt", "c.txt", "d.txt"]


def test_a_long_file_becomes_samples_of_one_name_and_label(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LONGEST_FILE", 50)
    write(tmp_path / "s" / "a" / "1.txt", "word\n" * 30)
    write(tmp_path / "s" / "b" / "1.txt", "x" * 50)
    with pytest.warns(DataWarning, match="1 texts are longer than 50 bytes"):
        samples = as_samples(tmp_path / "s")
    assert "".join(texts(samples)[:-1]) == "word\n" * 30
    assert set(samples.names) == {"a/1.txt", "b/1.txt"}
    assert samples.labels.tolist() == [0] * (len(samples) - 1) + [1]


def test_images_come_before_texts(tmp_path, caplog):
    write(tmp_path / "readme.txt", "about the picture")
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with caplog.at_level(logging.INFO, "replearn"):
        assert as_samples(tmp_path).kind == "image"
    assert "read as 1 images; 1 .txt files are left out" in caplog.text


def test_text_names_a_column(tmp_path):
    for data in (write(tmp_path / "a.txt", "x"), tmp_path, np.zeros((2, 3)), "digits", ["a", "b"]):
        with pytest.raises(ValueError, match="text must name a column of a table; got text='words' for"):
            as_samples(data, text="words")


BOUNDED = """
import resource, sys, warnings
import numpy as np
from replearn.data import as_samples
as_samples(["to warm up"])
for path in sys.argv[1:]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        samples = as_samples(path)
    samples.content_hash(), samples.fingerprint(), samples[np.arange(512) * (len(samples) // 512)]
    print(len(samples), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sizes are told in other units")
def test_memory_is_bounded(tmp_path):
    """76 MB of lines, and 76 MB of one line."""
    parts = [b"%08d some words that follow" % i for i in range(2**14)]
    paths = [tmp_path / "lines.txt", tmp_path / "endless.txt"]
    for path, end in zip(paths, (b"\n", b" "), strict=True):
        with path.open("wb") as file:
            for _ in range(140):
                file.write(end.join([*parts, b""]))
    size = paths[0].stat().st_size
    assert size > 70e6
    told = subprocess.run([sys.executable, "-c", BOUNDED, *paths], check=True, capture_output=True, text=True)
    (rows, grown), (pieces, more) = (map(int, line.split()) for line in told.stdout.splitlines())
    assert rows == 140 * 2**14
    assert pieces >= size // LONGEST_LINE
    assert grown * 1024 < 60e6  # blocks and their lines, and 18 MB of where texts end
    assert more * 1024 < 48e6  # 512 pieces of 65,536 bytes are 34 MB


def test_no_warning_of_good_files(tmp_path):
    write(tmp_path / "a.txt", "x" * LONGEST_LINE + "\n")
    write(tmp_path / "s" / "a.txt", "x" * LONGEST_FILE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(as_samples(tmp_path / "a.txt")) == 1
        assert len(as_samples(tmp_path / "s")) == 1
