"""Processes of Ray: on this machine, or of a cluster that runs already."""

import logging
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

from replearn.comparison.rows import unheard
from replearn.data.needed import needed

# No statistics of use are sent; graphics cards are not hidden from tasks that ask for none.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
LEAST_STORE = 2**27  # bytes, of what is shared by the processes of a machine
PATIENCE = 10.0  # seconds
NO_SOCKET = 60  # characters of a folder's name, from which names of sockets in it are too long for the system


@contextmanager
def processes(workers: int, address: str | None, *, shared: int) -> Iterator[Any]:
    """While entered, Ray runs: that of the caller, or of the cluster at `address`, or one of this machine's.

    One that is started here has no page, sends nothing, and leaves no process behind, and no file but
    `~/.ray/auth_token`, by which its processes know each other.

    Args:
        workers: processes of a Ray that is started.
        address: of a cluster that runs: `auto`, `HOST:PORT` or `ray://HOST:PORT`; None: this machine.
        shared: bytes that are given to all processes.

    Raises:
        ValueError: Ray is not installed, or no cluster answers there.
    """
    ray = needed("ray", "several workers need")
    if ray.is_initialized():
        yield ray
        return
    plain: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
    if address is not None:
        check_answers(address)
    with patch.dict(os.environ, QUIET), _folder() as folder, unheard("ray", logging.ERROR):
        if address is None:
            store = max(LEAST_STORE, 2 * shared)  # from 80 % on it would go to disk
            plain |= {"num_cpus": workers, "object_store_memory": store, "include_dashboard": False}
            plain["_temp_dir"] = folder
        with _handlers_kept():
            try:
                ray.init(address=address or "local", **plain)
            except (ConnectionError, TimeoutError) as error:
                raise _silent(address) from error
        try:
            yield ray
        finally:
            with _handlers_kept():
                ray.shutdown()


def check_answers(address: str) -> None:
    """Raises ValueError where nothing listens at an address; Ray itself would try for minutes."""
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()
    except (OSError, ValueError, OverflowError) as error:
        raise _silent(address) from error


def _silent(address: str | None) -> ValueError:
    return ValueError(
        f"--ray must be the address of a cluster that runs, auto or HOST:PORT; none answers at {address!r}. Start one "
        "by `ray start --head`, or leave it out for processes of this machine."
    )


@contextmanager
def _folder() -> Iterator[str]:
    """A folder for Ray's logs and sockets, which goes afterwards."""
    place = tempfile.gettempdir()
    short = place if len(place) < NO_SOCKET else "/tmp"
    with tempfile.TemporaryDirectory(prefix="ray-", dir=short, ignore_cleanup_errors=True) as folder:
        yield str(Path(folder).resolve())


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """What is done on SIGTERM stays as it was: Ray has a way of its own."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        with suppress(ValueError, TypeError):  # not in the main thread, or of no Python
            signal.signal(signal.SIGTERM, before)
