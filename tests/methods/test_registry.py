"""The registry: every method by name, ours and scikit-learn's."""

import importlib.metadata
from types import SimpleNamespace

import pytest
from sklearn.base import BaseEstimator

from replearn.cli import main
from replearn.methods import SimCLR, find_method, registry
from replearn.methods.families import FAMILIES
from replearn.methods.model import Model
from replearn.methods.registry import ALSO, MethodWarning
from replearn.methods.started import TRAINED


def test_each_entry_is_an_estimator_with_tags():
    for name, entry in registry().items():
        assert name == entry.cls.__name__.lower()
        assert issubclass(entry.cls, BaseEstimator)
        assert entry.paper.startswith("https://")
        assert entry.kinds
        assert entry.family
        assert TRAINED not in getattr(
            entry.cls, "__dataclass_fields__", ()
        )  # which tells runs of a task apart


def test_the_issue_of_this_library_is_there():
    names = (
        "simclr autoencoder supervised pca fastica nmf kmeans minibatchdictionarylearning bernoullirbm tsne"
    )
    assert set(names.split()) <= set(registry())


def test_names_are_found_in_any_case_and_unknown_ones_offer_the_nearest():
    assert find_method("SimCLR").cls is SimCLR
    with pytest.raises(ValueError, match="Did you mean simclr"):
        find_method("simcrl")


def test_names_of_papers_lead_to_the_method_that_they_are(caplog):
    caplog.set_level("INFO", logger="replearn")
    for name, (own, _) in ALSO.items():
        assert name not in registry()
        assert find_method(name.upper()).cls is registry()[own].cls
        assert find_method(name).name == name
    assert "GRAPHCL is SimCLR on graphs" in caplog.text
    with pytest.raises(ValueError, match="Did you mean graphcl"):
        find_method("grapcl")


def point(loaded, name="theirs"):
    """An entry point that another package has; an error is raised when it is loaded."""

    def load():
        if isinstance(loaded, BaseException):
            raise loaded
        return loaded

    return SimpleNamespace(name=name, value=f"their_package:{name}", load=load)


def installed(monkeypatch, *points):
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: list(points))


class Theirs(SimCLR):
    """A method of another package."""


def test_other_packages_add_methods_by_an_entry_point(monkeypatch):
    installed(monkeypatch, point(Theirs))
    assert find_method("theirs").cls is Theirs


class WithoutTags(Model):
    """Says nothing of its family."""


class WrongTags(SimCLR):
    """Its year is a text, by which nothing can be sorted."""

    year = "lately"  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("loaded", "reason"),
    [
        (ImportError("No module named 'theirs'"), "ImportError: No module named 'theirs'"),
        (SyntaxError("two\nlines"), "SyntaxError: two lines"),
        (SystemExit(3), "SystemExit: 3"),
        ("a text", "TypeError: a method must be a class of scikit-learn's protocol, .*; got 'a text'"),
        (dict, "a BaseEstimator; got <class 'dict'>"),
        (WithoutTags, "AttributeError: .*family"),
        (WrongTags, "TypeError: family, kinds, year and paper must be"),
        (SimCLR, "there is a simclr already, replearn.methods.contrastive.simclr"),
    ],
)
def test_a_broken_one_is_left_out_with_its_name_and_reason(monkeypatch, capsys, loaded, reason):
    installed(monkeypatch, point(loaded, "broken"), point(Theirs))
    with pytest.warns(
        MethodWarning, match=rf"^the method broken \(their_package:broken\) .* left out: .*{reason}"
    ):
        known = registry()
    assert {*known} - {"theirs"} == names()
    assert known["simclr"].cls is SimCLR
    assert known["theirs"].cls is Theirs
    assert main(["list"]) == 0
    told = capsys.readouterr()
    assert "theirs" in told.out
    assert [line.split(" (")[0] for line in told.err.splitlines()] == ["warning: the method broken"]


def names():
    """Of our own methods."""
    return {name.lower() for family in FAMILIES for name in family.__all__}


def test_what_others_say_of_their_methods_is_text_not_markup(monkeypatch, capsys):
    class Odd(SimCLR):
        family = "[/italic]"
        paper = "[/] [bold"

    installed(monkeypatch, point(Odd))
    assert main(["list"]) == 0
    assert "[/] [bold" in capsys.readouterr().out
