"""`constraints.txt` holds what pyproject.toml asks for, and names no place to get it from."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINES = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
USERS = ("text", "tensorboard")  # extras that are no tools of development
PINS = [Requirement(line) for line in LINES if line and not line.startswith("#")]


def asked() -> list[Requirement]:
    """By the package, its extras and its build."""
    extras = PROJECT["project"]["optional-dependencies"].values()
    lists = [PROJECT["project"]["dependencies"], PROJECT["dependency-groups"]["build"], *extras]
    found = [Requirement(line) for lines in lists for line in lines]
    return [one for one in found if one.name != PROJECT["project"]["name"]]


@pytest.mark.parametrize("python", ["3.11.9", "3.12.9", "3.13.9"])
def test_every_dependency_has_one_version_within_its_range(python: str) -> None:
    here = {"python_full_version": python, "python_version": python.rpartition(".")[0]}
    held = [pin for pin in PINS if pin.marker is None or pin.marker.evaluate(here)]
    versions = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in held}
    assert len(versions) == len(held)  # or pip would find no version
    for one in asked():
        found = versions.get(canonicalize_name(one.name))
        assert found is not None, f"constraints.txt lacks {one.name}: run `make constraints`"
        assert found in one.specifier, (
            f"{one} is asked for, constraints.txt has {found}: run `make constraints`"
        )


def test_what_is_built_with_is_held_too() -> None:
    built = {canonicalize_name(Requirement(line).name) for line in PROJECT["build-system"]["requires"]}
    assert built <= {canonicalize_name(pin.name) for pin in PINS}


def test_versions_and_nothing_else() -> None:
    assert all(re.fullmatch(r"#.*|[a-z0-9-]+==[^ /:]+( ; [^/:]+)?", line) for line in LINES)


def test_the_package_leaves_its_ranges_open() -> None:
    """Or it could not be installed beside others."""
    project = PROJECT["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][name] for name in USERS)]
    assert not [line for lines in lists for line in lines if not re.fullmatch(r"[\w.-]+>=[\d.]+", line)]
