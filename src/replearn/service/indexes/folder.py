"""An index on disk: versions side by side, one of them current; a new one is written beside and switched to at once.

    INDEX/
        index.json     which version is current
        v1/, v2/       a version each: version.json (run, data, recall), and the table
        .v3.part/      one that is being written
        owner.lock     the process that writes, see `replearn.engine.owner`

A search that has opened the old version goes on with it: it stays until the next but one is made.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import pyarrow as pa

from replearn.engine.owner import owned
from replearn.engine.run import lies_in, make_run, read_json, remove, write_json
from replearn.evaluate.checks import Array
from replearn.service.indexes.lance import LanceTable, write_lance
from replearn.service.indexes.recall import Recall, approximate
from replearn.service.indexes.server import ServerTable, drop_table, write_server
from replearn.service.indexes.table import Partitions, Table

INDEX, VERSION, TABLE = "index.json", "version.json", "table"
KEPT = 2  # versions: the current one, and the one before


@dataclass(frozen=True)
class Version:
    """What a version says of itself.

    Attributes:
        run: folder whose representations it holds, absolute.
        weights: a hash of the run's recipe and weights.
        member: of samples with several, the one that is held; else None.
        data: what was put in, as it was named.
        dim: numbers per row.
        probes, partitions: of an approximate search, how many parts are looked through, and of how many; None: exact.
        recall: of an approximate search.
        server, table: where the rows lie in a server: its address and the name of the table; None: in the folder.
        versions: of packages.
    """

    run: str
    weights: str
    member: str | None
    data: tuple[str, ...]
    dim: int
    probes: int | None = None
    partitions: int | None = None
    recall: float | None = None
    server: str | None = None
    table: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Opened:
    """A version that is open.

    Attributes:
        name: `v1`.
        version: what it says of itself.
        table: its rows.
    """

    name: str
    version: Version
    table: Table


def is_index(path: Path) -> bool:
    """Whether an index lies there."""
    return (path / INDEX).is_file()


def current(path: str | Path) -> str:
    """The name of the current version, `v1`.

    Raises:
        ValueError: there is no index, or a broken one.
    """
    folder = Path(path)
    if not is_index(folder):
        raise ValueError(
            f"an index must hold {INDEX}; {folder} does not. Give the folder that `replearn index` wrote."
        )
    found = read_json(folder / INDEX)
    name = found.get("current") if isinstance(found, dict) else None
    plain = isinstance(name, str) and name[:1] == "v" and name[1:].isdecimal()
    place = folder / (str(name) if plain else "")
    if not plain or not place.is_dir() or not lies_in(place, folder):
        raise ValueError(
            f"{folder / INDEX} must name an existing version; it says {name!r:.40}. Make it anew."
        )
    return str(name)


def open_index(path: str | Path) -> Opened:
    """The current version of an index.

    Raises:
        ValueError: there is none, or a broken one.
    """
    folder, name = Path(path), current(path)
    content = read_json(folder / name / VERSION)
    try:
        version = Version(**{**content, "data": tuple(content["data"])})
        parts = (
            None if version.probes is None else Partitions(int(version.partitions or 0), int(version.probes))
        )
        if version.server is not None:
            return Opened(name, version, ServerTable(version.server, str(version.table), parts))
        return Opened(name, version, LanceTable(folder / name / TABLE, parts))
    except (TypeError, KeyError, AttributeError, OSError, RuntimeError) as error:
        raise ValueError(
            f"{folder / name} must be as `replearn index` wrote it; it is not ({error!r:.120}). Make it anew."
        ) from error


@contextmanager
def writing(path: str | Path) -> Iterator[Path]:
    """While entered, the folder of an index, made if it is not there, is this process's.

    Raises:
        ValueError: another process is at it, or it holds something else.
    """
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"an index must be a folder; {folder} is a file. Choose another name.")
    if (
        folder.is_dir()
        and not is_index(folder)
        and any(not one.name.startswith(".") for one in folder.iterdir())
    ):
        others = ", ".join(sorted(one.name for one in folder.iterdir())[:3])
        raise ValueError(
            f"the folder of a new index must be empty; {folder} holds {others}. Choose another name."
        )
    made = not folder.exists()
    make_run(folder)
    try:
        with owned(folder):
            yield folder
    except BaseException:
        if made and not any(folder.iterdir()):
            folder.rmdir()
        raise


def write_version(
    folder: Path, version: Version, rows: Array, columns: Mapping[str, "pa.Array"], *, parts: bool = False
) -> tuple[str, Recall | None]:
    """Write a version beside those that are there, and switch to it.

    Args:
        folder: of the index, which this process owns.
        version: what it says of itself.
        rows: `(n, d)`.
        columns: of the same length.
        parts: whether search is to be approximate.

    Returns:
        Its name, and what an approximate search finds, or None.
    """
    name = f"v{max(_numbers(folder), default=0) + 1}"
    part = folder / f".{name}.part"
    remove(part)  # of a process that was killed
    part.mkdir()
    try:
        table: Table
        if version.server is None:
            table = write_lance(part / TABLE, rows, columns)
        else:
            name_there = f"replearn_{uuid4().hex[:16]}"
            server, version = version.server, replace(version, table=name_there)
            table = write_server(server, name_there, rows, columns)
        recall = approximate(table) if parts else None
        content = asdict(version)
        if recall is not None:
            content |= {
                "probes": recall.partitions.probes,
                "partitions": recall.partitions.of,
                "recall": recall.recall,
            }
        write_json(part / VERSION, content)
        part.rename(folder / name)
    except BaseException:
        remove(part)
        if version.server is not None and version.table is not None:
            drop_table(version.server, version.table)
        raise
    write_json(folder / INDEX, {"current": name})  # from here on it is found
    for number in sorted(_numbers(folder))[:-KEPT]:
        _drop(folder / f"v{number}")
    return name, recall


def _drop(place: Path) -> None:
    """Remove a version, and its table if it lies in a server."""
    content = read_json(place / VERSION)
    shutil.rmtree(place, ignore_errors=True)
    if content.get("server") and content.get("table"):
        drop_table(content["server"], content["table"])


def note(folder: Path, name: str, version: Version) -> None:
    """Write what a version says of itself again."""
    write_json(folder / name / VERSION, asdict(version))


def _numbers(folder: Path) -> list[int]:
    names = [one.name for one in folder.iterdir() if one.is_dir()]
    return [int(name[1:]) for name in names if name[:1] == "v" and name[1:].isdecimal()]
