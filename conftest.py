"""Shapes and types of our functions are checked at run time, and what other packages log as deprecated is a warning.

Both under pytest only.
"""

import logging
import os
import random
import signal
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from jaxtyping import install_import_hook

TELL_BY_LOG = ("", "transformers", "torch", "lightning_fabric")  # "": all that pass on what they log


class Deprecations(logging.Handler):
    """Makes a warning of what a package logs as deprecated: pytest tells warnings, and no test reads such lines."""

    told: ClassVar[dict[Any, Any]] = {}  # so that what two loggers pass on is told once

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if "deprecat" in message.lower():
            place = (record.pathname, record.lineno, record.name)
            warnings.warn_explicit(message, DeprecationWarning, *place, registry=self.told)


# A process of tests has one thread, and so have those that it starts: as many processes run as there are cores, and
# sums do not depend on how many cores there are.
os.environ["OMP_NUM_THREADS"] = "1"
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start jobs in the background deaf to Ctrl-C
sys.path.insert(0, str(Path(__file__).parent / "tests"))
install_import_hook("replearn", "shape_checks.checked")
for package in TELL_BY_LOG:
    logging.getLogger(package).addHandler(Deprecations(logging.WARNING))

# Files that take the longest begin first, so that no process is left alone with one at the end.
SLOWEST = (
    "methods/test_faults", "methods/test_learns", "engine/test_every_method", "methods/test_contract",
    "methods/test_numbers", "docs/test_pages", "methods/test_autoencoders", "cli/test_small_data", "engine/test_resume",
    "comparison/test_equal_terms", "cli/test_streams", "methods/test_scikit_learns_checks",
)  # fmt: skip


# Chapters train when they are imported; `tests/lectures` runs them.
collect_ignore_glob = ["src/replearn/lectures/chapters/*"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run what `make test` leaves to `make test-all`, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=_rank)
    if config.getoption("--all"):
        return
    for item in items:
        if item.get_closest_marker("all"):
            item.add_marker(pytest.mark.skip(reason="in the lane of `make test-all`; here by --all"))


def _rank(item: pytest.Item) -> int:
    file = item.nodeid.partition(".py")[0].removeprefix("tests/")
    return SLOWEST.index(file) if file in SLOWEST else len(SLOWEST)


def _seed(name: str) -> None:
    import torch

    seed = zlib.crc32(name.encode())
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the old global state is what libraries draw from
    torch.manual_seed(seed)


@pytest.fixture(scope="module", autouse=True)
def _seeded_file(request: pytest.FixtureRequest) -> None:
    """What a file's fixtures draw does not depend on what ran before."""
    _seed(request.node.nodeid)


@pytest.fixture(autouse=True)
def _seeded(request: pytest.FixtureRequest) -> None:
    """Nor does what a test draws: it is the same in every run, and another in every test."""
    _seed(request.node.nodeid)


unexpected: list[str] = []


def pytest_warning_recorded(warning_message: warnings.WarningMessage, nodeid: str) -> None:
    """Note a warning of ours: between us and who called there are frames of the shape checks, which filters see."""
    if warning_message.category.__module__.partition(".")[0] == "replearn":
        unexpected.append(f"{nodeid}: {warning_message.message}")


def pytest_sessionfinish(session: Any) -> None:
    """Such a warning is an error."""
    if unexpected and session.exitstatus == 0:
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for line in unexpected:
        terminalreporter.write_line(f"FAILED by a warning of ours that no test expects: {line}", red=True)
