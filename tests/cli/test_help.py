"""Help at once, and lists that people and programs can read."""

import json
import re
import subprocess
import sys

import pytest

from replearn.cli import COMMANDS

HEAVY = ("torch", "numpy", "pandas", "sklearn", "rich", "tyro", "replearn.data", "replearn.methods")


def imported_by(code: str) -> set[str]:
    """Which of the heavy packages a process imports."""
    tell = f"{code}; import sys; print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", tell], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.strip().splitlines()[-1].replace("'", '"')))


@pytest.mark.parametrize("args", [["--help"], ["-h"], [], ["--version"], ["fit", "--help"], ["fti"]])
def test_help_imports_nothing_heavy(args):
    found = imported_by(f"from replearn.cli import main; main({args!r})")
    assert not found - ({"tyro"} if args[:1] == ["fit"] else set())


def test_importing_replearn_imports_nothing_heavy():
    assert not imported_by("import replearn")


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "fit"])
def test_help_of_a_command_comes_without_torch(name):
    assert "torch" not in imported_by(f"from replearn.cli import main; main([{name!r}, '--help'])")


def test_help_names_every_command(command):
    answer = command("--help")
    assert (answer.code, answer.err) == (0, "")
    assert all(f"\n  {name} " in answer.out for name in COMMANDS)
    assert answer.out == command().out == command("-h").out


def test_help_of_a_method_shows_its_fields_with_their_meaning(command):
    out = command("fit", "simclr", "--help").out
    assert "--temperature FLOAT" in out
    assert "smaller looks harder" in out
    assert "--encoder TEXT" in out  # a module can't be given here
    assert "--n-components" in command("fit", "pca", "--help").out


def test_all_that_is_shown_fits_80_columns(command):
    for args in (
        ["--help"],
        ["list"],
        ["data"],
        ["fit", "simclr", "--help"],
        ["fit", "--help"],
        ["embed", "-h"],
        ["compare", "-h"],
        ["evaluate", "-h"],
        ["demo", "-h"],
        ["finetune", "--task", "detect", "-h"],
        ["finetune", "--task=segment", "-h"],
    ):
        answer = command(*args)
        assert answer.code == 0
        wide = [line for line in answer.out.splitlines() if len(line) > 80]
        assert all(line.startswith("https://") and " " not in line for line in wide), (
            args
        )  # an address, in one piece
        assert "\x1b" not in answer.out  # plain where it is no terminal


def test_list_as_json_tells_what_the_registry_knows(command):
    from replearn.methods import registry

    found = {entry["name"]: entry for entry in json.loads(command("list", "--json").out)}
    assert set(found) == set(registry())
    for name, entry in registry().items():
        told = found[name]
        assert (told["family"], tuple(told["kinds"]), told["paper"]) == (
            entry.family,
            entry.kinds,
            entry.paper,
        )
    shown = command("list").out
    assert all(f" {name} " in shown for name in found)
    assert all(entry.paper.rpartition("/")[2] in shown for entry in registry().values())


def test_defaults_that_are_nothing_are_not_shown(command):
    shown = command("fit", "simclr", "--help").out + command("finetune", "--help").out
    assert "(default: 0)" in shown
    assert "None)" not in shown
    assert "(default: )" not in shown
    assert not re.search(r"^│ +│$", shown, flags=re.MULTILINE)


def test_data_as_json_tells_counts_and_licence(command):
    digits = json.loads(command("data", "--json").out)[0]
    assert (digits["name"], digits["train"], digits["test"], digits["shape"]) == (
        "digits",
        8000,
        2000,
        [1, 28, 28],
    )
    assert digits["licence"]
    assert digits["attribution"]


def test_a_reader_that_leaves_early_sees_no_traceback():
    code = "import sys; from replearn.cli import main; sys.exit(main(['--help']))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as started:
        started.stdout.close()  # as `head -1` does when it has its line
        assert started.stderr.read() == b""
    assert started.returncode == 0
