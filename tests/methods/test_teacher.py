"""Teachers: no gradient reaches them; they follow by the momentum, exactly."""

import pytest
import torch
from torch import nn

from replearn.encoders import mlp
from replearn.methods.state.teacher import Teacher, rising_momentum


def networks():
    torch.manual_seed(0)
    return nn.Linear(5, 6), mlp(6, 7, 3)


def test_starts_as_a_copy_that_applies_the_students_one_after_another():
    encoder, head = networks()
    teacher, x = Teacher(encoder, head), torch.randn(4, 5)
    torch.testing.assert_close(teacher(x), head(encoder(x)))
    nn.init.zeros_(encoder.weight)
    assert teacher.chain[0].weight.abs().sum() > 0


def test_gets_no_gradient():
    encoder, head = networks()
    teacher = Teacher(encoder, head)
    x = torch.randn(4, 5, requires_grad=True)
    assert not teacher(x).requires_grad
    assert [p for p in teacher.parameters() if p.requires_grad] == []
    assert all(p.requires_grad for net in (encoder, head) for p in net.parameters())


@pytest.mark.parametrize("momentum", [0.0, 0.75, 0.996, 1.0])
def test_follows_by_the_momentum(momentum):
    encoder, head = networks()
    teacher = Teacher(encoder, head)
    students = [p for net in (encoder, head) for p in net.parameters()]
    before = [p.clone() for p in teacher.parameters()]
    with torch.no_grad():
        for p in students:
            p.add_(torch.randn_like(p))
    now = [p.clone() for p in students]
    teacher.follow(encoder, head, momentum=momentum)
    for own, old, student in zip(teacher.parameters(), before, students, strict=True):
        torch.testing.assert_close(own, momentum * old + (1 - momentum) * student, rtol=1e-5, atol=1e-6)
    assert all(torch.equal(p, copy) for p, copy in zip(students, now, strict=True))


def test_standing_still_changes_no_bit():
    encoder, head = networks()
    teacher = Teacher(encoder, head)
    before = [p.clone() for p in teacher.parameters()]
    nn.init.ones_(encoder.weight)
    teacher.follow(encoder, head, momentum=1.0)
    assert all(torch.equal(p, old) for p, old in zip(teacher.parameters(), before, strict=True))


def test_statistics_are_its_own():
    encoder, head = networks()
    teacher = Teacher(encoder, head)
    teacher(torch.randn(64, 5))
    own, student = teacher.chain[1][1], head[1]
    assert own.num_batches_tracked == 1
    assert student.num_batches_tracked == 0
    before = own.running_mean.clone()
    teacher.follow(encoder, head, momentum=0.0)
    assert torch.equal(own.running_mean, before)


def test_momentum_rises_from_its_start_to_one_and_is_flat_at_both_ends():
    values = [rising_momentum(i / 100, start=0.9) for i in range(101)]
    assert values[0] == pytest.approx(0.9)
    assert values[50] == pytest.approx(0.95)
    assert values[100] == 1.0
    assert values == sorted(values)
    assert values[1] - values[0] < 1e-4 > values[100] - values[99]
