"""Two lanes: `make test` tries a method of each mechanism where every one takes minutes, `make test-all` tries all."""

from collections.abc import Iterable
from typing import Any

import pytest

MECHANISMS = {
    "simclr": "contrast in a batch",
    "moco": "a queue",
    "byol": "a teacher",
    "swav": "prototypes",
    "vicreg": "statistics",
    "autoencoder": "reconstruction",
    "vae": "a random code",
    "supervised": "labels",
    "gpt": "the next word",
    "word2vec": "a table of words",
    "bagofvisualwords": "a dictionary",
}


def one_of_each(members: Iterable[Any], fast: Iterable[str] = MECHANISMS) -> list[Any]:
    """Members by which a test is parametrized: names or classes of methods, or tuples that begin with one.

    Those that are not in `fast` run in `make test-all` only.
    """
    fast = set(fast)
    found = [member if _name(member) in fast else _later(member) for member in members]
    assert any(_name(member) in fast for member in found), "the fast lane must have one"
    return found


def _name(member: Any) -> str:
    first = member[0] if isinstance(member, tuple) else member
    return first if isinstance(first, str) else getattr(first, "__name__", "").lower()


def _later(member: Any) -> Any:
    values = member if isinstance(member, tuple) else (member,)
    return pytest.param(*values, marks=pytest.mark.all)
