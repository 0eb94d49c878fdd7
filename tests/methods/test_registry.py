"""The registry: every method by name, ours and scikit-learn's."""

import importlib.metadata

import pytest
from sklearn.base import BaseEstimator

from replearn.methods import SimCLR, find_method, registry


def test_each_entry_is_an_estimator_with_tags():
    for name, entry in registry().items():
        assert name == entry.cls.__name__.lower()
        assert issubclass(entry.cls, BaseEstimator)
        assert entry.paper.startswith("https://")
        assert entry.kinds
        assert entry.family


def test_the_issue_of_this_library_is_there():
    names = (
        "simclr autoencoder supervised pca fastica nmf kmeans minibatchdictionarylearning bernoullirbm tsne"
    )
    assert set(names.split()) <= set(registry())


def test_names_are_found_in_any_case_and_unknown_ones_offer_the_nearest():
    assert find_method("SimCLR").cls is SimCLR
    with pytest.raises(ValueError, match="Did you mean simclr"):
        find_method("simcrl")


def test_other_packages_add_methods_by_an_entry_point(monkeypatch):
    class Theirs(SimCLR):
        """A method of another package."""

    class Point:
        def load(self):
            return Theirs

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [Point()])
    assert find_method("theirs").cls is Theirs
