"""Data at an address: fetched once, whole or not at all, and again when it has changed."""

import functools
import http.server
import io
import logging
import os
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

pytest.importorskip("aiohttp", reason="needs replearn[remote]")

import fsspec

from replearn.cli import main
from replearn.cli.finetune import FineTuneOptions, read_numbers
from replearn.data import as_samples, remote
from replearn.data.remote import is_address, local_path, shown_address


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of a folder; `asked` has the names of those that were sent."""

    def __init__(self, *args, asked, cut, **kwargs):
        self.asked, self.cut = asked, cut
        super().__init__(*args, **kwargs)

    def do_GET(self):
        self.asked.append(self.path)
        if self.path in self.cut:
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.send_header("Last-Modified", self.date_time_string(0))
            self.end_headers()
            self.wfile.write(b"half of it")
            return
        super().do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A folder, its address, what was sent, and what is cut short."""
    folder, asked, cut = tmp_path_factory.mktemp("served"), [], set()
    handler = functools.partial(Handler, directory=str(folder), asked=asked, cut=cut)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}", asked, cut
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("REPLEARN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_file_is_fetched_once_and_again_when_it_has_changed(served, caplog):
    folder, address, asked, _ = served
    np.save(folder / "x.npy", np.arange(20, dtype=np.float32).reshape(10, 2))
    os.utime(folder / "x.npy", (1e9, 1e9))
    with caplog.at_level(logging.INFO, "replearn"):
        first = as_samples(f"{address}/x.npy").flat()
    assert "/x.npy: 0.0 MB in one file are fetched into the cache" in caplog.text
    sent = asked.count("/x.npy")
    assert sent == 1
    np.testing.assert_array_equal(as_samples(f"{address}/x.npy").flat(), first)
    assert asked.count("/x.npy") == sent
    np.save(folder / "x.npy", -np.arange(20, dtype=np.float32).reshape(10, 2))  # of the same size
    np.testing.assert_array_equal(as_samples(f"{address}/x.npy").flat(), -first)


def test_tables_and_labels_have_addresses(served):
    folder, address, _, _ = served
    (folder / "t.csv").write_text("a,b,label\n1,2,x\n3,4,y\n5,7,x\n")
    samples = as_samples(f"{address}/t.csv?token=secret")
    assert samples.classes == ("x", "y")
    pictures(folder / "plain", ("1.png", "2.png"))
    (folder / "l.csv").write_text("file,label\n1.png,a\n2.png,b\n")
    found = as_samples(f"{address}/plain/", f"{address}/l.csv")
    assert found.classes == ("a", "b")


def pictures(folder, names):
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 10 * number).save(folder / name)


def test_a_folder_that_is_listed_has_its_classes(served):
    folder, address, _, _ = served
    pictures(folder / "photos", ("cat/1.png", "cat/two words.png", "dog/3.png"))
    samples = as_samples(f"{address}/photos/")
    assert list(samples.names) == ["cat/1.png", "cat/two words.png", "dog/3.png"]
    assert samples.classes == ("cat", "dog")
    assert samples[np.arange(3)].x[:, 0, 0, 0].tolist() == [0, 10, 20]


def test_what_is_cut_short_leaves_nothing(served, cache):
    folder, address, _, cut = served
    (folder / "half.zip").write_bytes(b"0" * 1_000_000)
    os.utime(folder / "half.zip", (0, 0))
    cut.add("/half.zip")
    with pytest.raises(ValueError, match=r"half\.zip does not \("):
        as_samples(f"{address}/half.zip")
    assert not [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_what_changes_while_it_is_fetched_is_refused(served, monkeypatch):
    folder, address, _, _ = served
    np.save(folder / "moving.npy", np.zeros((4, 2), np.float32))

    system = fsspec.filesystem("http")
    monkeypatch.setattr(system, "get_file", lambda remote, place: Path(place).write_bytes(b"other"))
    with pytest.raises(
        ValueError, match=r"must not change meanwhile, and come whole; of http.*moving\.npy came 5 bytes"
    ):
        local_path(f"{address}/moving.npy")


def test_numbered_files_are_fetched_together(served):
    import pandas as pd

    folder, address, _, _ = served
    for number in range(3):
        pd.DataFrame({"a": [number, 1.0], "b": [2.0, 3.5]}).to_parquet(folder / f"part-{number}.parquet")
    samples = as_samples(f"{address}/part-{{0..2}}.parquet")
    assert samples.flat()[:, 0].tolist() == [0, 1, 1, 1, 2, 1]


def test_any_file_system_of_fsspec(caplog):
    memory = fsspec.filesystem("memory")
    stream = io.BytesIO()
    np.savez(stream, x=np.ones((6, 3), np.float32), y=[0, 1] * 3)
    memory.pipe_file("/bucket/data.npz", stream.getvalue())
    assert as_samples("memory://bucket/data.npz").labels.tolist() == [0, 1] * 3
    memory.pipe_file("/bucket/tables/part-0.parquet", _parquet())
    memory.pipe_file("/bucket/tables/part-1.parquet", _parquet())
    assert len(as_samples("memory://bucket/tables")) == 4
    memory.rm("/bucket", recursive=True)


def _parquet():
    import pandas as pd

    stream = io.BytesIO()
    pd.DataFrame({"a": [0.5, 1.0], "b": [2.0, 3.5]}).to_parquet(stream)
    return stream.getvalue()


def test_addresses_of_this_machine_are_paths(tmp_path, cache):
    np.save(tmp_path / "x.npy", np.zeros((4, 2), np.float32))
    assert local_path(f"file://{tmp_path}/x.npy") == tmp_path / "x.npy"
    assert not cache.exists()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("NONE/nothing.zip", r"nothing\.zip does not \(FileNotFoundError"),
        (
            "http://127.0.0.1:9/x.zip",
            r"an address must lead to a readable file or folder; http://127\.0\.0\.1:9/x\.zip",
        ),
        ("nosuch://host/x.zip", "an address must be one that fsspec knows"),
        ("memory://empty/", r"readable file or folder|lists none"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(address, said, served, capsys):
    with pytest.raises(ValueError, match=said) as told:
        as_samples(address.replace("NONE", served[1]))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(("scheme", "package"), [("s3", "s3fs"), ("gs", "gcsfs")])
def test_a_package_that_is_missing_is_named(scheme, package):
    try:
        __import__(package)
    except ImportError:
        with pytest.raises(
            ValueError, match=rf"addresses {scheme}:// need {package}, which is not installed"
        ):
            as_samples(f"{scheme}://bucket/x.zip")
    else:
        pytest.skip(f"{package} is installed")


def test_secrets_are_not_shown():
    assert shown_address("s3://key:secret@bucket/a?b=c") == "s3://bucket/a"
    assert shown_address("zip://in.png::https://me:secret@host/a.zip") == "zip://in.png::https://host/a.zip"
    assert shown_address("a@b/c?d") == "a@b/c?d"
    assert not is_address("C:/photos")


def test_what_can_not_be_fetched_is_told_without_secrets(served):
    for address in ("nothing.zip?token=secret", "t-{9..1}.tar?token=secret"):
        with pytest.raises(ValueError, match="must") as told:
            as_samples(f"{served[1]}/{address}")
        assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("memory://d/..%2F..%2Fout.npy", "out.npy"),
        ("https://h/%2Ftmp%2Fx", "x"),
        ("https://h/..", "h"),
        ("https://h/a%00b.npy", "ab.npy"),
    ],
)
def test_a_copy_lies_in_the_cache_whatever_the_address(address, name):
    assert remote._name(address) == name


def test_numbered_files_of_one_name_are_all_there_in_their_order():
    system = fsspec.filesystem("memory")
    for number in (8, 9, 10):
        held = io.BytesIO()
        np.save(held, np.zeros(1))
        system.pipe(f"/numbered/{number}/rows.npy", held.getvalue())
    _, found = remote._listed("memory://numbered/{8..10}/rows.npy")
    assert list(found) == ["0-rows.npy", "1-rows.npy", "2-rows.npy"]


def test_names_with_a_question_mark_are_files_where_nothing_is_asked():
    fsspec.filesystem("memory").pipe("/asked/who?.txt", b"a text")
    _, found = remote._listed("memory://asked/")
    assert list(found) == ["who?.txt"]


@pytest.mark.all
def test_a_command_takes_an_address(served, tmp_path, monkeypatch, capsys):
    folder, address, _, _ = served
    monkeypatch.chdir(tmp_path)
    np.save(folder / "rows.npy", np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32))
    assert main(["fit", "pca", f"{address}/rows.npy", "--n-components", "2", "--run", "run"]) == 0
    assert main(["embed", "run", f"{address}/rows.npy"]) == 0
    assert "rows.parquet: 40 rows" in capsys.readouterr().out


@pytest.mark.all
def test_nothing_that_is_written_or_told_holds_the_secrets_of_an_address(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).normal(size=(60, 4))
    frame = pd.DataFrame(rows, columns=list("abcd")).assign(label=["x", "y"] * 30)
    fsspec.filesystem("memory").pipe("/told/rows.csv?token=SECRET", frame.to_csv(index=False).encode())
    data = ["memory://told/rows.csv?token=SECRET", "--labels", "label"]
    assert main(["fit", "pca", *data, "--n-components", "2"]) == 0
    assert main(["evaluate", "runs/pca-rows", *data]) == 0
    told = "".join(capsys.readouterr())
    kept = [line for line in told.splitlines() if not line.startswith("  replearn ")]  # commands are as typed
    assert "SECRET" not in "\n".join(kept)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "evaluation.json" for path in files)
    assert [path for path in files if b"SECRET" in path.read_bytes() or "SECRET" in str(path)] == []


def test_a_table_of_numbers_to_predict_may_lie_at_an_address():
    frame = pd.DataFrame({"a": [0.5, 1.5], "b": [1.0, 2.0], "y": [3.0, 4.0]})
    fsspec.filesystem("memory").pipe("/predicted/t.csv", frame.to_csv(index=False).encode())
    options = FineTuneOptions(run="cnn", data="memory://predicted/t.csv", task="regress", target="y")
    assert list(read_numbers(options.data, options)[1]) == [3.0, 4.0]
