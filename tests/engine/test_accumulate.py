"""Batches whose gradients add up have loss and gradient of one batch of all their samples, for every method."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from children import built
from torch import Tensor, nn

from lanes import one_of_each
from replearn.data import Samples
from replearn.engine.machine import choose, make_fabric
from replearn.engine.step import Step, one_step
from replearn.engine.train import ready
from replearn.methods import Method, Trained, registry
from replearn.methods.labelled.semi_supervised import SemiSupervised
from replearn.transfer import FineTune

NAMES = [name for name, entry in registry().items() if issubclass(entry.cls, Trained)]
# Of any size of images, and without batch statistics, which are those of a batch.
POOLED = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.Tanh())
OF_COLOURS = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.Tanh())
OTHERS = "samples of a batch are told from the others of that batch"
BATCH = "the loss is of statistics over a batch (covariances, dependence, mean activity)"
MOVES = "what it compares with (queue, bank, chains, means) moves on with each batch"
# Methods whose batches can't be joined afterwards, and why.
APART = {
    "simclr": OTHERS,
    "simcse": OTHERS,
    "supcon": OTHERS,
    "clip": OTHERS,
    "cmc": OTHERS,
    "cpc": OTHERS,
    "mocov3": OTHERS,
    "alignuniform": OTHERS,
    "contextencoder": "of its adversary, spectral norms are found step by step, at each of its passes",
    "factorvae": "codes are shuffled among the samples of a batch",
    "betatcvae": "the density of codes is told from those of a batch",
    "uda": "which labels are left out of a batch, and so of how many its loss is a mean, shows in it alone",
    "swav": "a batch is shared out equally among the prototypes",
    "barlowtwins": BATCH,
    "lejepa": BATCH,
    "vicreg": BATCH,
    "sslhsic": BATCH,
    "sparseautoencoder": BATCH,
    "moco": MOVES,
    "nnclr": MOVES,
    "instdisc": MOVES,
    "pirl": MOVES,
    "rbm": MOVES,
    "deepbelief": MOVES,
}


def step_of(method: Method, samples: Samples, size: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss and gradients of a step over 16 samples, in batches of `size`, each with the draws of the whole."""
    without_batch_norms(method)
    step = Step(method)
    step.double()
    terms = step.terms

    def drawn_alike(batch):
        torch.manual_seed(1)
        return terms(batch)

    step.terms = drawn_alike
    fabric = make_fabric(choose("cpu", "32-true"))
    module, optimizer = fabric.setup(step, torch.optim.SGD(step.parameters()))
    index = np.random.default_rng(3).permutation(len(samples))[:16]
    if isinstance(method, SemiSupervised):  # whose batches have their shares of labels, as the order sees to
        method.batch_size = 4
        index = method.order(samples)(0)[:16]
    parts = [samples[index[i : i + size]].part_of(16, start=i) for i in range(0, 16, size)]
    with ready(method, step):
        loss, _ = one_step(fabric, module, optimizer, parts, 0.0)
    return loss, {name: p.grad for name, p in step.named_parameters() if p.grad is not None}


def without_batch_norms(method: Method) -> None:
    """Take off what normalises by the statistics of a batch, which accumulation leaves those of one batch."""
    for whole in method.modules().values():
        for name, layer in list(whole.named_modules()):
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                whole.set_submodule(name, nn.Identity())


def check_alike(makes: Any) -> None:
    (whole, wanted), (loss, found) = (step_of(*makes(), size) for size in (16, 4))
    assert float(loss) == pytest.approx(float(whole), rel=1e-6, abs=1e-9)
    assert found.keys() == wanted.keys()
    assert wanted
    for name, expected in wanted.items():
        size = expected.norm().clamp_min(1e-6)
        assert (found[name] - expected).norm() <= 1e-5 * size, name


def made(name: str) -> tuple[Method, Samples]:
    """A method without batch statistics, of which 16 samples have unequal numbers of labels, words and tokens."""
    fields = {field.name: field.default for field in dataclasses.fields(registry()[name].cls)}
    images = "image" in registry()[name].kinds and "encoder" in fields
    own = "vit" if "patches" in registry()[name].cls.needs else "linear"
    pooled = {"pirl": POOLED, "cpc": POOLED, "colorization": OF_COLOURS, "contextencoder": POOLED}
    encoder = {"contractiveautoencoder": "auto", **pooled}.get(name, own)
    given = {"adversarial": 0.001} if name == "contextencoder" else {}
    return built(name=name, n=64, **({"encoder": encoder} if images else {}), **given)


@pytest.mark.parametrize("name", one_of_each(name for name in NAMES if name not in APART))
def test_batches_of_a_step_are_one_batch(name: str) -> None:
    check_alike(lambda: made(name))


@pytest.mark.parametrize("name", one_of_each(APART))
def test_methods_that_compare_the_samples_of_a_batch_are_listed_rightly(name: str) -> None:
    with pytest.raises(AssertionError):
        check_alike(lambda: made(name))


TASKS: dict[str, tuple[list[Any], list[Any]]] = {
    "tag": (
        [["the", "cat", "sat"][: 1 + i % 3] for i in range(16)],
        [["A", "B", "A"][: 1 + i % 3] for i in range(16)],
    ),
    "span": (
        [f"the cat {'sat ' * (i % 4)}down" for i in range(16)],
        [[(4, 7, "who")] if i % 3 else [] for i in range(16)],
    ),
    "pair": ([("the cat", "sat " * (1 + i % 3)) for i in range(16)], [i % 2 for i in range(16)]),
    "classify": ([f"the cat {i}" for i in range(16)], ["a", "b", "a", "c"] * 4),
    "regress": ([f"the cat {i}" for i in range(16)], [float(i) for i in range(16)]),
}


@pytest.mark.parametrize("task", TASKS)
def test_answers_count_alike_in_all_batches_of_a_step(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    caught: list[tuple[FineTune, Samples]] = []

    class Caught(Exception):
        pass

    def catch(learner: FineTune, samples: Samples, **_: Any) -> None:
        caught.append((learner, samples))
        raise Caught

    monkeypatch.setattr("replearn.transfer.finetune.train", catch)
    lm, _ = built(name="gpt")

    def prepared() -> tuple[FineTune, Samples]:
        with pytest.raises(Caught):
            FineTune(encoder=lm, task=task, batch_size=4).fit(*TASKS[task])
        return caught[-1]

    check_alike(prepared)


def test_a_training_that_accumulates_has_the_loss_of_one_with_large_batches() -> None:
    x, y = TASKS["tag"]
    fields = {"task": "tag", "trained": "frozen", "epochs": 3, "precision": "32-true"}
    lm, _ = built(name="gpt")
    losses = [
        [
            row["loss"]
            for row in FineTune(encoder=lm, batch_size=size, accumulate=16 // size, **fields)
            .fit(x, y)
            .history_.rows
        ]
        for size in (16, 1)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert len(losses[0]) == 3


def test_a_batch_that_has_nothing_to_tell_has_no_share() -> None:
    method, samples = built(name="supervised", encoder="linear")
    samples.labels[:] = -1
    loss, gradients = step_of(method, samples, 4)
    assert float(loss) == 0
    assert all(not gradient.any() for gradient in gradients.values())
