"""Mean teacher and the Π-model: the papers' consistency, who sets the targets, who learns, the ramp."""

import copy
import math

import numpy as np
import pytest
import torch

from made_labels import few_digits, prepared, truth
from replearn.data.labels import UNLABELLED
from replearn.methods import MeanTeacher
from replearn.views import Noise, Pair, Same

VIEWS = Pair(Same(), Noise(0.3))


def moved(**given):
    """A method whose teacher is unlike its student."""
    method, samples = prepared(MeanTeacher, views=VIEWS, **given)
    torch.manual_seed(3)
    for parameter in (*method.encoder_.parameters(), *method.logits_.parameters()):
        parameter.add_(0.1 * torch.randn_like(parameter))
    for module in method.modules().values():
        module.double().eval()
    return method, samples


@pytest.mark.parametrize("teacher", [True, False])
def test_loss_is_that_of_the_paper(teacher):
    """Equation 1 of all samples, and cross-entropy of those with a label, as loops in float64."""
    method, samples = moved(teacher=teacher, weight=3.0)
    method.risen_.value.fill_(0.5)
    batch = samples[np.arange(60, 100)]
    torch.manual_seed(1)
    a, b = method.views_(batch)
    target = (method.logits_(method.encoder_(a)) if teacher else method.student_(a)).detach().softmax(1)
    told = method.student_(b).detach().softmax(1)
    known, apart = [], []
    for i, label in enumerate(batch.labels.tolist()):
        if label != UNLABELLED:
            known.append(-math.log(told[i, label]))
        apart.append(sum((float(told[i, k]) - float(target[i, k])) ** 2 for k in range(10)))
    torch.manual_seed(1)
    terms = {name: term().item() for name, term in method.terms(batch).items()}
    assert terms["labelled"] == pytest.approx(sum(known) / len(known), rel=1e-6)
    assert terms["unlabelled"] == pytest.approx(3.0 * 0.5 * sum(apart) / len(apart), rel=1e-6)


def test_no_gradient_passes_through_the_teacher_and_both_of_pi_learn():
    batch = few_digits()[np.arange(60, 100)]
    method, _ = moved()
    target, told = method.say(batch)
    assert not target.requires_grad
    assert told.requires_grad
    method, _ = moved(teacher=False)
    target, told = method.say(batch)
    assert target.requires_grad
    assert told.requires_grad


@pytest.mark.parametrize("teacher", [True, False])
def test_the_average_follows_and_only_a_teacher_keeps_its_own_statistics(teacher):
    method, _ = prepared(MeanTeacher, encoder="cnn", momentum=0.75, teacher=teacher)
    method.steps_.value.fill_(10)
    before = copy.deepcopy(method.encoder_.state_dict())
    for tensor in (*method.student_.parameters(), *method.student_.buffers()):
        tensor.data += 1
    method.after_step(0.5)
    learned = {name for name, _ in method.encoder_.named_parameters()}
    for name, tensor in method.encoder_.state_dict().items():
        if name in learned:
            assert torch.allclose(tensor, before[name] + 0.25, atol=1e-5), name
        elif name.endswith(("running_mean", "running_var")):
            assert torch.equal(tensor, before[name]) == teacher, name
    assert any(name.endswith("running_mean") for name in before)


def test_the_teachers_statistics_are_of_what_it_saw():
    method, samples = prepared(MeanTeacher, encoder="cnn")
    method.encoder_.train()
    name = next(name for name, _ in method.encoder_.named_buffers() if name.endswith("running_mean"))
    before = method.encoder_.get_buffer(name).clone()
    method.say(samples[np.arange(32)])
    assert not torch.equal(before, method.encoder_.get_buffer(name))


def test_the_weight_rises_as_in_the_paper():
    method, _ = prepared(MeanTeacher, rise=0.5)
    found = [float(method.risen_.value)]
    for progress in (0.0, 0.25, 0.5, 1.0):
        method.after_step(progress)
        found.append(float(method.risen_.value))
    assert found == pytest.approx([math.exp(-5), math.exp(-5), math.exp(-1.25), 1.0, 1.0])


@pytest.mark.all
def test_it_learns():
    method = MeanTeacher(encoder="mlp", epochs=30, batch_size=32, mu=1, device="cpu", views=VIEWS)
    method.fit(few_digits())
    assert method.score(few_digits(), truth()) > 0.7
    assert method.history_.alarms == []
