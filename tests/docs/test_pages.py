"""The code in the README and the docs runs and prints what it says."""

import time
from pathlib import Path

import pytest
from blocks import at_most, commands, run_command, run_python
from pages import DOCS, blocks, name, pages

OWN_TEST = DOCS / "add-a-method.md"
# Pages whose blocks say how many digits there are, and do not train on them.
WHOLE_DIGITS = {DOCS / "stages" / page for page in ("data.md", "encoders.md", "views.md")}


README = DOCS.parent / "README.md"
LONG = {
    README,
    *(
        DOCS / page
        for page in (
            "index.md",
            "put-to-use.md",
            "episodes.md",
            "surgery.md",
            "families/language.md",
            "kinds/pairs.md",
        )
    ),
    *(
        DOCS / "stages" / page
        for page in ("command-line.md", "evaluation.md", "compare.md", "transfer.md", "engine.md")
    ),
}


@pytest.mark.parametrize("path", pages(), ids=name)
def test_no_block_that_is_run_waits_for_requests(path: Path) -> None:
    """A command that serves does not end: it stands in a block of `shell`, which is not run."""
    run = [words[1] for block in blocks(path, "bash") for words in commands(block) if words[0] == "replearn"]
    assert not {"serve", "explore"} & set(run)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=pytest.mark.all) if path in LONG else path
        for path in pages()
        if path != OWN_TEST
    ],
    ids=name,
)
def test_code_of_a_page_runs(
    path: Path, desk: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    if path not in WHOLE_DIGITS:
        request.getfixturevalue("_little_digits")
    namespace = {"__name__": "__page__"}
    for block in blocks(path, "python", "bash"):
        if block.language == "python":
            run_python(block, namespace)
            continue
        for words in commands(block):
            run_command(words, capsys)


def test_a_command_that_does_not_end_is_named() -> None:
    told = r"`replearn serve x` was not done after 0\.05 seconds"
    with pytest.raises(TimeoutError, match=told), at_most(0.05, "replearn serve x"):
        time.sleep(5)
    with at_most(0.05, "quick"):
        pass
    time.sleep(0.1)
