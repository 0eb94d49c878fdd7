"""S4L: classes of turned samples, turns of all samples, the mix with VAT's terms."""

import math

import numpy as np
import pytest
import torch

from made_labels import few_digits, prepared, truth
from replearn.data.labels import UNLABELLED
from replearn.methods import S4L
from replearn.methods.labelled.vat import adversary
from replearn.methods.needs import kinds_served
from replearn.views import Chain, Noise, Pair, Rotations, Same


def said_of(method, batch):
    """Probabilities of classes and of turns, of each sample's four turns."""
    with torch.no_grad():
        (seen,) = method.views_(batch)
        h = method.student_[0](seen)
        classes, turns = method.student_[1](h).softmax(1), method.turns_(h).softmax(1)
    return classes.view(len(batch), 4, 10), turns.view(len(batch), 4, 4)


@pytest.mark.parametrize("turned", [True, False])
def test_loss_is_that_of_the_paper(turned):
    """Equations 1 and 2 as loops, in float64."""
    method, samples = prepared(S4L, views=Rotations(Same()), weight=0.7, turned=turned)
    for module in method.modules().values():
        module.double().eval()
    batch = samples[np.arange(60, 100)]
    classes, turns = said_of(method, batch)
    known, told = [], []
    for i, label in enumerate(batch.labels.tolist()):
        for turn in range(4):
            told.append(-math.log(turns[i, turn, turn]))
            if label != UNLABELLED and (turned or turn == 0):
                known.append(-math.log(classes[i, turn, label]))
    terms = {name: term().item() for name, term in method.terms(batch).items()}
    assert terms.keys() == {"labelled", "unlabelled"}
    assert len(told) == 160  # of those with a label, too
    assert terms["labelled"] == pytest.approx(sum(known) / len(known), rel=1e-6)
    assert terms["unlabelled"] == pytest.approx(0.7 * sum(told) / len(told), rel=1e-6)


def test_the_mix_adds_vats_terms():
    method, samples = prepared(S4L, views=Rotations(Same()), divergence=0.5, entropy=0.25)
    for module in method.modules().values():
        module.double().eval()
    batch = samples[np.arange(60, 100)]
    classes, _ = said_of(method, batch)
    terms = {name: term().item() for name, term in method.terms(batch).items()}
    assert terms.keys() == {"labelled", "unlabelled", "divergence", "entropy"}
    unsure = -(classes * classes.log()).sum(2).mean().item()
    assert terms["entropy"] == pytest.approx(0.25 * unsure, rel=1e-6)
    assert terms["divergence"] > 0


def test_the_divergence_is_vats_of_the_length_that_is_asked_for():
    found = []
    for epsilon in (0.1, 0.4):
        method, samples = prepared(
            S4L, views=Rotations(Same()), divergence=0.5, epsilon=epsilon, xi=0.02, iterations=2
        )
        for module in method.modules().values():
            module.double().eval()
        batch = samples[np.arange(60, 70)]
        said = method.say(batch)
        torch.manual_seed(2)
        found.append(method.steadiness(said, batch).item())
        torch.manual_seed(2)
        clean = said[1].detach()
        changed = adversary(method.student_, said[0], clean, epsilon=epsilon, xi=0.02, iterations=2)
        p, q = clean.softmax(1), method.student_(changed).softmax(1)
        assert found[-1] == pytest.approx((p * (p / q).log()).sum(1).mean().item(), rel=1e-6)
    assert found[1] > 4 * found[0] > 0


def test_the_average_answers_of_samples_as_they_are():
    method, samples = prepared(S4L, views=Rotations(Same()))
    assert method.predict_proba(samples).shape == (256, 10)
    assert method.transform(samples).shape == (256, method.representation_dim)


def test_views_that_turn_nothing_are_refused():
    with pytest.raises(
        ValueError, match=r"S4L needs views that turn samples, Rotations\(...\); got Pair"
    ) as error:
        S4L(views=Pair(Same(), Same())).prepare(few_digits())
    assert len(str(error.value).splitlines()) == 1
    assert kinds_served(S4L) == ("image",)


@pytest.mark.all
def test_it_learns_classes_and_turns():
    method = S4L(
        encoder="mlp",
        epochs=20,
        batch_size=32,
        mu=1,
        device="cpu",
        turned=False,
        views=Rotations(Chain(Noise(0.2))),
    ).fit(few_digits())
    assert method.score(few_digits(), truth()) > 0.7
    last = method.history_.rows[-1]
    assert last["pretext_accuracy"] > 0.6
    assert last["chance"] == 0.25
    assert method.history_.alarms == []
