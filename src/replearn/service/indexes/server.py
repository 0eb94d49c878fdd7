"""Tables in a PostgreSQL server with pgvector: for many readers and writers, on other machines too.

    index folder (version.json: server, table) --> table of the server: number, other columns, h vector(d)

Passwords are no part of what is written: libpq finds them in PGPASSWORD or ~/.pgpass.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
from jaxtyping import Float, Int

from replearn.data.needed import needed
from replearn.data.reasons import reason_of
from replearn.evaluate.checks import Array
from replearn.service.indexes.table import AT_ONCE, DIRECTION, NUMBER, Partitions, Table, directions

log = logging.getLogger("replearn")

# Types of columns: of Arrow, in SQL, and as the server says them.
TYPES = (
    (pa.types.is_boolean, "boolean", pa.bool_()),
    (pa.types.is_integer, "bigint", pa.int64()),
    (pa.types.is_floating, "double precision", pa.float64()),
)
TEXT = ("text", pa.string())
MOST_PARTED = 2000  # numbers in a row that pgvector parts by k-means
SECONDS = 60  # that a search may take


class ServerTable(Table):
    """A table of a server.

    Args:
        url: of the server and its database, `postgresql://user@host/database`.
        name: of the table.
        partitions: of an approximate search; None: every row is looked at.

    Raises:
        ValueError: the server doesn't answer, or has no such table.
    """

    def __init__(self, url: str, name: str, partitions: Partitions | None = None) -> None:
        self.partitions, self.url, self.name = partitions, url, name
        asked = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
        with self._cursor() as cursor:
            found = cursor.execute(f"{asked} ORDER BY ordinal_position", (name,)).fetchall()
            if not found:
                raise ValueError(
                    f"the server of the index must have the table {name}; it is gone. Rebuild the index."
                )
            width = "SELECT atttypmod FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s"
            self._dim = int(cursor.execute(width, (name, DIRECTION)).fetchone()[0])
        said = {in_sql: arrow for _, in_sql, arrow in TYPES}
        self._types = {column: said.get(of, TEXT[1]) for column, of in found if column != DIRECTION}

    def __len__(self) -> int:
        return int(self._one(self._sql("SELECT count(*) FROM {}")))

    @property
    def columns(self) -> list[str]:
        return [*self._types]

    @property
    def dim(self) -> int:
        return self._dim

    def search(
        self, query: Float[np.ndarray, " d"], k: int, *, where: str | None = None, exact: bool = False
    ) -> "pa.Table":
        sql = _psycopg().sql
        near = sql.SQL("{} <=> %s::vector").format(sql.Identifier(DIRECTION))
        shown = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        asked = sql.SQL("SELECT ") + shown + sql.SQL(", 1 - (") + near + sql.SQL(") FROM ") + self._sql("{}")
        asked += self._condition(where) + sql.SQL(" ORDER BY ") + near + sql.SQL(" LIMIT %s")
        row = _written(directions(query[None])[0])
        with self._cursor(where, reads=True) as cursor:
            if exact or self.partitions is None:
                cursor.execute("SET LOCAL enable_indexscan = off")
            else:
                cursor.execute(f"SET LOCAL ivfflat.probes = {int(self.partitions.probes)}")
                cursor.execute(
                    "SET LOCAL ivfflat.iterative_scan = relaxed_order"
                )  # until k meet the condition
            # An approximate search that goes on for its condition gives rows nearly in order.
            found = sorted(cursor.execute(asked, (row, row, k)).fetchall(), key=lambda one: -one[-1])
        values = list(zip(*found, strict=True)) or [()] * (len(self.columns) + 1)
        types = [*self._types.values(), pa.float32()]
        arrays = [pa.array(column, of) for column, of in zip(values, types, strict=True)]
        return pa.table(arrays, names=[*self.columns, "cosine"])

    def quoted(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def rows(self, numbers: list[int]) -> dict[int, Any]:
        sql = _psycopg().sql
        asked = sql.SQL("SELECT {}, {}::real[] FROM {} WHERE {} = ANY(%s)").format(
            *map(sql.Identifier, (NUMBER, DIRECTION, self.name, NUMBER))
        )
        with self._cursor() as cursor:
            return dict(cursor.execute(asked, (numbers,)).fetchall())

    def numbers(self) -> Int[np.ndarray, " n"]:
        return np.array(self._column(NUMBER), dtype=np.int64)

    def part(self, numbers: Int[np.ndarray, " q"]) -> tuple["pa.Table", Float[np.ndarray, "q d"]]:
        sql = _psycopg().sql
        shown = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        asked = sql.SQL("SELECT {}, {}::real[] FROM {} WHERE {} = ANY(%s) ORDER BY {}").format(
            shown, *map(sql.Identifier, (DIRECTION, self.name, NUMBER, NUMBER))
        )
        columns, h = [], np.empty((len(numbers), self.dim), np.float32)
        schema = pa.schema(list(self._types.items()))
        for start in range(0, len(numbers), AT_ONCE):
            with self._cursor(reads=True) as cursor:
                found = cursor.execute(asked, (numbers[start : start + AT_ONCE].tolist(),)).fetchall()
            *values, own = zip(*found, strict=True)
            columns.append(
                pa.Table.from_arrays(
                    [pa.array(v, f.type) for v, f in zip(values, schema, strict=True)], schema=schema
                )
            )
            h[start : start + len(own)] = own
        return (pa.concat_tables(columns) if columns else schema.empty_table()), h

    def names(self) -> set[str]:
        return (
            {name for name in self._column("name") if name is not None} if "name" in self.columns else set()
        )

    def add(self, rows: Float[np.ndarray, "n d"], columns: Mapping[str, "pa.Array"]) -> None:
        lacking = self.check_added(rows, set(columns))
        columns = {name: pa.nulls(len(rows), self._types[name]) for name in lacking} | dict(columns)
        with self._cursor(seconds=0) as cursor:
            _copy(cursor, self.name, rows, {name: columns[name] for name in self.columns})

    def delete(self, where: str) -> int:
        with self._cursor(where, seconds=0) as cursor:
            return int(cursor.execute(self._sql("DELETE FROM {}") + self._condition(where), ()).rowcount)

    def part_up(self, partitions: int) -> None:
        if self.dim > MOST_PARTED:
            raise ValueError(
                f"an approximate search in a server is for rows of at most {MOST_PARTED:,} numbers; got {self.dim:,}. "
                "Leave --approximate out."
            )
        made = f"CREATE INDEX ON {{}} USING ivfflat ({DIRECTION} vector_cosine_ops) WITH (lists = {int(partitions)})"
        with self._cursor(seconds=0) as cursor:
            cursor.execute(self._sql(made))

    def _column(self, name: str) -> list[Any]:
        sql = _psycopg().sql
        with self._cursor() as cursor:
            asked = sql.SQL("SELECT {} FROM {}").format(sql.Identifier(name), sql.Identifier(self.name))
            return [value for (value,) in cursor.execute(asked).fetchall()]

    def _one(self, asked: Any) -> Any:
        with self._cursor() as cursor:
            return cursor.execute(asked).fetchone()[0]

    def _sql(self, text: str) -> Any:
        """SQL in which `{}` is the table."""
        sql = _psycopg().sql
        return sql.SQL(text).format(sql.Identifier(self.name))

    def _condition(self, where: str | None) -> Any:
        sql = _psycopg().sql
        return sql.SQL("") if where is None else sql.SQL(f" WHERE ({where.replace('%', '%%')})")

    @contextmanager
    def _cursor(
        self, where: str | None = None, *, reads: bool = False, seconds: int = SECONDS
    ) -> Iterator[Any]:
        """In a transaction of a connection of its own; what stops it is the condition's fault, if there is one.

        A condition is somebody's SQL: with parameters the server takes one statement only, and a search can't write.
        """
        psycopg = _psycopg()
        try:
            with connected(self.url) as connection, connection.transaction(), connection.cursor() as cursor:
                if reads:
                    cursor.execute("SET TRANSACTION READ ONLY")
                cursor.execute(f"SET LOCAL statement_timeout = '{seconds}s'")
                yield cursor
        except psycopg.Error as error:
            if where is not None and not isinstance(error, psycopg.OperationalError):
                raise self.unread(where, error) from error
            raise _silent(self.url, error) from error


def check_server(url: str) -> None:
    """Raises ValueError where this is no address of a server that may be written down."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError(
            f"--server must be postgresql://user@host/database; got {parts.scheme or url!r:.40}."
        )
    if parts.password or "password=" in parts.query:
        raise ValueError(
            "--server must hold no password, since it is written into the index; put it into PGPASSWORD or ~/.pgpass."
        )


def connected(url: str) -> Any:
    """A connection.

    Raises:
        ValueError: the server doesn't answer.
    """
    try:
        return _psycopg().connect(url, autocommit=True, connect_timeout=10)
    except _psycopg().Error as error:
        raise _silent(url, error) from error


def write_server(url: str, name: str, rows: Array, columns: Mapping[str, "pa.Array"]) -> ServerTable:
    """Write a new table, whole or not at all.

    Args:
        url: of the server.
        name: of the table.
        rows: `(n, d)`, in memory or on disk.
        columns: of the same length, `number` among them.

    Raises:
        ValueError: the server doesn't answer, or has no pgvector.
    """
    psycopg = _psycopg()
    sql = psycopg.sql
    with connected(url) as connection:
        try:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        except psycopg.Error as error:
            raise ValueError(
                f"the server must have pgvector, for which `CREATE EXTENSION vector` failed ({_reason(error)}). "
                "Install it there, or ask whoever may."
            ) from error
        fields = [
            sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(_type(values.type)))
            for column, values in columns.items()
        ]
        fields.append(
            sql.SQL("{} vector({})").format(sql.Identifier(DIRECTION), sql.Literal(int(rows.shape[1])))
        )
        fields.append(sql.SQL("PRIMARY KEY ({})").format(sql.Identifier(NUMBER)))
        made = sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(name), sql.SQL(", ").join(fields))
        try:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute(made)
                _copy(cursor, name, rows, columns)
        except psycopg.Error as error:
            raise _silent(url, error) from error
    return ServerTable(url, name)


def drop_table(url: str, name: str) -> None:
    """Remove a table; where that fails it is said."""
    sql = _psycopg().sql
    try:
        with connected(url) as connection:
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(name)))
    except (ValueError, _psycopg().Error) as error:
        log.warning("the table %s of an old version stays in the server: %s", name, _reason(error))


def _psycopg() -> Any:
    found = needed("psycopg", "an index in a server needs")
    needed("psycopg.sql", "an index in a server needs")
    return found


def _copy(cursor: Any, name: str, rows: Array, columns: Mapping[str, "pa.Array"]) -> None:
    """Rows into a table, in the cursor's transaction."""
    sql = _psycopg().sql
    fields = sql.SQL(", ").join(map(sql.Identifier, [*columns, DIRECTION]))
    with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), fields)) as copy:
        for start in range(0, len(rows), AT_ONCE):
            part = directions(np.asarray(rows[start : start + AT_ONCE]))
            values = [column.slice(start, len(part)).to_pylist() for column in columns.values()]
            for row in zip(*values, map(_written, part), strict=True):
                copy.write_row(row)


def _written(row: Float[np.ndarray, " d"]) -> str:
    return f"[{','.join(map(repr, row.tolist()))}]"


def _type(of: Any) -> str:
    return next((in_sql for holds, in_sql, _ in TYPES if holds(of)), TEXT[0])


def _silent(url: str, error: Exception) -> ValueError:
    where = urlsplit(url)
    return ValueError(
        f"the server {where.hostname or 'on this machine'} must answer; it does not ({_reason(error)}). Is it running?"
    )


def _reason(error: Exception) -> str:
    return f"{reason_of(error, 160)}"
