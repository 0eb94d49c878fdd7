"""Every method of the registry, set so that it learns in a second, and samples that it learns from."""

from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

import replearn
from made_clips import made_clips
from made_colours import in_colour, needs_colour
from made_graphs import made_graphs
from made_texts import made_texts
from replearn.data import Samples
from replearn.methods import Model, Trained, registry
from replearn.methods.labelled.episodic import Episodic
from replearn.methods.labelled.many_answers import ManyAnswers
from replearn.methods.labelled.semi_supervised import SemiSupervised
from replearn.methods.needs import kinds_served

CLASSES = [entry.cls for entry in registry().values()]
# Of methods that are trained by gradients; and of those that read nothing but texts.
QUICK = {"encoder": "cnn", "epochs": 2, "batch_size": 32, "device": "cpu"}
QUICK_EPISODES = {"way": 2, "shots": 2, "queries": 2, "inner_steps": 2}
QUICK_GRAPHS = QUICK | {"encoder": "gin"}
QUICK_CLIPS = QUICK | {"batch_size": 16}
QUICK_PAIRS = QUICK | {"encoder": "image=cnn,text=words"}
BY_KIND = {"image": QUICK, "graph": QUICK_GRAPHS, "pairs": QUICK_PAIRS, "video": QUICK_CLIPS}
QUICK_TEXT = QUICK | {"encoder": "words", "batch_size": 8, "window": 16, "vocabulary": 300}
# Of those whose networks would take long: they have no field `encoder` by which to make them small.
QUICK_OF: dict[str, dict[str, Any]] = {"ImageGPT": {"side": 7, "dim": 16, "depth": 2}}
# Teachers of random weights, where the student is a module.
BY_CONTENT = dict.fromkeys(("image", "table", "video", "volume"), "mlp")
# Of other models: little dictionaries of few places.
SMALL = {"epochs": 1, "least": 1, "words": 8, "atoms": 8, "drawn": 600, "side": 4, "device": "cpu"}

ARRAYS: dict[str, dict[str, Any]] = {"MiniBatchDictionaryLearning": {"max_iter": 2}, "NMF": {"tol": 0.1}}


def kind(cls: type[Any]) -> str:
    """Of the samples that it is tested on."""
    kinds = kinds_served(cls)
    return "image" if "image" in kinds else kinds[0]


def quick(cls: type[Any], **given: Any) -> Any:
    """A method that learns in a second; it takes what it has fields for (not all have an encoder)."""
    if not is_dataclass(cls):  # scikit-learn's own
        return small(cls, **given)
    said = SMALL
    if issubclass(cls, Trained):
        said = BY_KIND.get(kind(cls), QUICK_TEXT)
    if "patches" in cls.needs:
        said = said | {"encoder": "vit"}
    if issubclass(cls, Episodic):
        said = said | QUICK_EPISODES
    if cls.__name__ in QUICK_OF:
        pytest.importorskip("transformers")
        said = said | QUICK_OF[cls.__name__]
    known = {field.name for field in fields(cls)}
    if cls.__name__ == "Distill":
        encoder = (said | given).get("encoder")
        said = said | {"teacher": encoder if isinstance(encoder, str) else BY_CONTENT.get(kind(cls), "words")}
    return cls(**{name: value for name, value in (said | given).items() if name in known})


def small(cls: type[Any], **given: Any) -> Any:
    """One of scikit-learn's, of six numbers or clusters; t-SNE, which draws its map, of two."""
    size = "n_clusters" if hasattr(cls(), "n_clusters") else "n_components"
    number = 6 if hasattr(cls, "transform") else 2
    return cls(**{size: number, "random_state": 0} | ARRAYS.get(cls.__name__, {}) | given)


def few(cls: type[Any]) -> Samples:
    """Samples that a method learns from."""
    if needs_colour(cls):
        return few_colours()
    if issubclass(cls, ManyAnswers):
        return few_targets()
    if kind(cls) == "graph":
        pytest.importorskip("torch_geometric")
        return made_graphs(96)
    if kind(cls) == "pairs":
        return few_pairs()
    if kind(cls) == "video":
        return few_clips()
    return labelled_for(cls, few_images() if kind(cls) == "image" else few_texts())


def labelled_for(cls: type[Any], samples: Samples) -> Samples:
    """The samples with as many labels as a method asks for: some, where it learns from samples without."""
    if not issubclass(cls, SemiSupervised):
        return samples
    assert samples.labels is not None
    return replearn.as_samples(samples, np.where(np.arange(len(samples)) // 6 % 2, -1, samples.labels))


@cache
def few_texts() -> Samples:
    pytest.importorskip("tokenizers")
    return replearn.as_samples(made_texts(96), np.arange(96) % 3)


@cache
def few_clips() -> Samples:
    return made_clips(64)


@cache
def few_pairs() -> Samples:
    texts = few_texts()
    return replearn.as_samples({"image": few_images(), "text": texts}, texts.labels)


@cache
def few_images() -> Samples:
    digits = replearn.load_data("digits", split="train").subset(np.arange(96))
    little = digits[np.arange(96)].x.numpy()[:, :, ::2, ::2]  # 14 pixels: a quarter of the work
    return replearn.as_samples(np.ascontiguousarray(little), digits.labels)


@cache
def few_targets() -> Samples:
    """Images with two targets, classes and numbers, of which some are unknown."""
    images = few_images()
    place = np.arange(len(images))
    digits = np.where(place % 3, images.labels, -1)
    ink = np.where(place % 5, images.flat().sum(1), np.nan)
    return replearn.as_samples(images[place].x.numpy(), {"digit": digits, "ink": ink})


@cache
def few_colours() -> Samples:
    grey = few_images()
    return replearn.as_samples(in_colour(grey[np.arange(len(grey))].x.numpy()), grey.labels)


def fitted(cls: type[Any]) -> Any:
    """A method that has learned."""
    if issubclass(cls, Model):
        return quick(cls).fit(few(cls))
    samples = few(cls)
    return quick(cls).fit(samples.flat())
