"""Each sentence of the page on trust names a test that is there."""

import re

from pages import DOCS, ROOT

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
PAGE = (DOCS / "trust.md").read_text(encoding="utf-8")
GUARANTEES = re.findall(
    r"^- .*?(?=\n- |\n\n|\Z)", PAGE.partition("## What is not")[0], re.MULTILINE | re.DOTALL
)


def test_each_guarantee_names_a_test() -> None:
    assert GUARANTEES
    assert not [sentence for sentence in GUARANTEES if not NAMED.search(sentence)]


def test_each_test_that_is_named_is_there() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) == PAGE.count("::")
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert not missing
