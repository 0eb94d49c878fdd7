"""A method begins with an encoder that another one has learned, and its run is whole without that one's folder."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import replearn
from lanes import one_of_each
from made_methods import few_images, quick
from replearn.data import Samples, TextSamples
from replearn.methods import BERT, VAE, Autoencoder, Frozen, Model, SimCLR, SimCSE
from replearn.transfer import FineTune

TEXTS = [
    f"the {a} {b} the {c}" for a in ("cat", "dog", "cow") for b in ("sees", "eats") for c in ("hat", "mat")
]
SMALL: dict[str, Any] = {"epochs": 1, "batch_size": 8, "warmup": 0.0, "device": "cpu"}
ROWS = np.random.default_rng(0).normal(size=(24, 6)).astype(np.float32)


def images() -> Samples:
    return few_images().subset(np.arange(16))


def image() -> tuple[Model, type[Model], Any]:
    return quick(SimCLR, encoder="cnn", **SMALL), SimCLR, images()


def timm() -> tuple[Model, type[Model], Any]:
    return quick(SimCLR, encoder="resnet10t", **SMALL), VAE, images()


def table() -> tuple[Model, type[Model], Any]:
    return quick(Autoencoder, encoder="mlp", dim=2, **SMALL), SimCLR, ROWS


def text() -> tuple[Model, type[Model], Any]:
    return BERT(encoder="bert_mini", vocabulary=60, window=8, **SMALL), SimCSE, TextSamples(TEXTS)


KINDS = [image, timm, table, text]


def the_same(a: nn.Module, b: nn.Module) -> bool:
    return all(
        torch.equal(value, b.state_dict()[name]) if isinstance(value, torch.Tensor) else True
        for name, value in a.state_dict().items()
    )


@pytest.mark.parametrize("given", ["folder", "module"])
@pytest.mark.parametrize("kind", one_of_each(KINDS, ["image", "text"]))
def test_a_run_or_a_method_is_begun_with_and_then_not_needed(kind: Any, given: str, tmp_path: Path) -> None:
    first, cls, samples = kind()
    first.fit(samples, run=tmp_path / "first")
    folder = tmp_path / "first"
    encoder = {"folder": str(folder), "module": first.encoder_}[given]
    begun = cls(encoder=encoder, **SMALL).prepare(samples)
    assert the_same(begun.encoder_, first.encoder_)
    second = cls(encoder=encoder, **SMALL).fit(samples, run=tmp_path / "second")
    assert not the_same(second.encoder_, first.encoder_)
    third = FineTune(encoder=second.encoder_, **SMALL).fit(
        samples, np.arange(len(samples)) % 2, run=tmp_path / "third"
    )
    shutil.rmtree(folder)
    again = replearn.load(tmp_path / "second")
    np.testing.assert_array_equal(again.transform(samples), second.transform(samples))
    again.save(tmp_path / "copy")  # and what is loaded goes on
    shutil.rmtree(tmp_path / "second")
    np.testing.assert_array_equal(
        replearn.load(tmp_path / "copy").transform(samples), second.transform(samples)
    )
    on = cls(encoder=str(tmp_path / "copy"), **SMALL).prepare(samples)
    assert the_same(on.encoder_, second.encoder_)
    tuned = replearn.load(tmp_path / "third")
    np.testing.assert_array_equal(tuned.predict_proba(samples), third.predict_proba(samples))
    last = Frozen(encoder=str(tmp_path / "third")).fit(samples)
    assert the_same(last.encoder_, third.encoder_)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("cnn", "run"),
        ("resnet10t", "run"),
        ("resnet10t", "run/weights.safetensors"),
        ("resnet10t", "net.pth"),
    ],
)
def test_a_network_takes_weights_of_a_run_and_loads_without_it(name: str, where: str, tmp_path: Path) -> None:
    samples = images()
    first = quick(SimCLR, encoder=name, **SMALL).fit(samples, run=tmp_path / "run")
    torch.save(first.encoder_.net.state_dict(), tmp_path / "net.pth")
    method = VAE(encoder=f"{name}@{tmp_path / where}", **SMALL).prepare(samples)
    assert the_same(method.encoder_.net, first.encoder_.net)
    method.save(tmp_path / "second")
    FineTune(encoder=method.encoder, **SMALL).fit(
        samples, np.arange(len(samples)) % 2, run=tmp_path / "third"
    )
    shutil.rmtree(tmp_path / "run")
    (tmp_path / "net.pth").unlink()
    again = replearn.load(tmp_path / "second")
    np.testing.assert_array_equal(again.transform(samples), method.transform(samples))
    replearn.load(tmp_path / "third").predict(samples)
    on = SimCLR(encoder=str(tmp_path / "second"), **SMALL).prepare(samples)
    assert the_same(on.encoder_, method.encoder_)


def test_the_stem_of_a_file_that_is_gone_is_the_one_in_the_run(tmp_path: Path) -> None:
    import timm as library

    torch.save(
        library.create_model("resnet10t").state_dict(), tmp_path / "large.pth"
    )  # a stem for large images
    method = Frozen(encoder=f"resnet10t@{tmp_path / 'large.pth'}").fit(images(), run=tmp_path / "run")
    (tmp_path / "large.pth").unlink()
    again = replearn.load(tmp_path / "run")
    np.testing.assert_array_equal(again.transform(images()), method.transform(images()))
    assert the_same(Frozen(encoder=str(tmp_path / "run")).fit(images()).encoder_, method.encoder_)


def test_what_cannot_be_begun_with_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="run folder"):
        SimCLR(encoder=str(tmp_path / "empty")).prepare(images())
    quick(Autoencoder, encoder="mlp", dim=2, **SMALL).fit(ROWS, run=tmp_path / "table")
    with pytest.raises(ValueError, match="kind image"):
        SimCLR(encoder=str(tmp_path / "table")).prepare(images())
    own = quick(SimCLR, encoder=nn.Flatten(), **SMALL).fit(images(), run=tmp_path / "own")
    with pytest.raises(ValueError, match="encoder of your own, Flatten"):
        SimCLR(encoder=str(tmp_path / "own")).prepare(images())
    SimCLR(encoder=own.encoder_, **SMALL).fit(images(), run=tmp_path / "on")
    with pytest.raises(ValueError, match="Pass encoder="):
        replearn.load(tmp_path / "on")
    replearn.load(tmp_path / "on", encoder=own.encoder_)
    with pytest.raises(ValueError, match="Give the run folder alone"):
        SimCSE(encoder=f"bert_mini@{tmp_path}").prepare(TextSamples(TEXTS))


def test_a_run_that_has_ended_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = quick(SimCLR, encoder="cnn", **SMALL).fit(images(), run=tmp_path / "run")
    with caplog.at_level("INFO", "replearn"):
        again = quick(SimCLR, encoder="cnn", **SMALL).fit(images(), run=tmp_path / "run", resume=True)
    assert "has ended already, after 1 epochs: nothing to do" in caplog.text
    assert the_same(again.encoder_, first.encoder_)
