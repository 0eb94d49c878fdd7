"""FixMatch: the paper's two terms, the average that answers, batches with their share of labels."""

import copy

import numpy as np
import pytest
import torch

import replearn
from made_labels import few_digits, prepared
from replearn.data.labels import UNLABELLED
from replearn.methods import FixMatch, Supervised
from replearn.views import Noise, Pair, Same

VIEWS = Pair(Same(), Noise(0.3))


@pytest.mark.parametrize("threshold", [0.0, 0.12])
def test_loss_is_that_of_the_paper(threshold):
    """Equations 3 and 4 as a loop, in float64."""
    method, samples = prepared(FixMatch, views=VIEWS, threshold=threshold, weight=0.7)
    method.student_.double().eval()
    batch = samples[np.arange(60, 100)]
    torch.manual_seed(1)
    weak, strong = (method.student_(view).detach().double().softmax(1) for view in method.views_(batch))
    supervised, unsupervised = [], []
    for i, label in enumerate(batch.labels.tolist()):
        if label != UNLABELLED:
            supervised.append(-weak[i, label].log())
        else:
            likely = weak[i].argmax()
            unsupervised.append(-strong[i, likely].log() if weak[i, likely] >= threshold else 0.0)
    torch.manual_seed(1)
    terms = {name: term() for name, term in method.terms(batch).items()}
    assert terms["labelled"].item() == pytest.approx(float(sum(supervised)) / len(supervised), rel=1e-5)
    assert terms["unlabelled"].item() == pytest.approx(
        0.7 * float(sum(unsupervised)) / len(unsupervised), rel=1e-5
    )
    if threshold:
        assert 0.0 in unsupervised


def test_no_gradient_passes_through_the_guess():
    method, samples = prepared(FixMatch, views=VIEWS, threshold=0.0)
    weak, strong = (torch.randn(40, 10, requires_grad=True) for _ in range(2))
    method.unlabelled([weak, strong], samples[np.arange(60, 100)]).backward()
    assert weak.grad is None
    assert (strong.grad[:20] == 0).all()  # those have labels
    assert (strong.grad[20:] != 0).any(1).all()


def test_what_answers_is_the_average_of_the_students_weights_and_statistics():
    method, _ = prepared(FixMatch, views=VIEWS, momentum=0.75, encoder="cnn")
    method.steps_.value.fill_(10)
    before = copy.deepcopy(method.encoder_.state_dict())
    for tensor in (*method.student_.parameters(), *method.student_.buffers()):
        tensor.data += 1
    method.after_step(0.5)
    for name, tensor in method.encoder_.state_dict().items():
        expected = before[name] + (0.25 if tensor.is_floating_point() else 1)
        assert torch.allclose(tensor.float(), expected.float(), atol=1e-5), name
    assert not any(p.requires_grad for p in (*method.encoder_.parameters(), *method.logits_.parameters()))


def test_the_average_begins_as_the_mean_of_all_weights():
    method, _ = prepared(FixMatch, views=VIEWS, momentum=0.75, encoder="linear")
    seen = [method.logits_.weight.clone()]
    for step in range(5):
        method.student_[1].weight.data += step + 1
        seen.append(method.student_[1].weight.detach().clone())
        method.after_step(0.0)
        if step < 3:  # 1 - 1 / 4 is the momentum
            torch.testing.assert_close(method.logits_.weight.data, torch.stack(seen).mean(0))
    assert not torch.allclose(method.logits_.weight.data, torch.stack(seen).mean(0))


def test_answers():
    samples = few_digits()
    method = FixMatch(encoder="mlp", epochs=2, batch_size=64, device="cpu").fit(samples)
    told = method.predict_proba(samples)
    assert told.shape == (256, 10)
    assert np.allclose(told.sum(1), 1)
    found = method.predict(samples)
    assert (found == method.classes_[told.argmax(1)]).all()
    truth = replearn.load_data("digits", split="train").labels[:256]
    assert method.score(samples, truth) == pytest.approx((found == truth).mean())
    assert method.score(samples) == pytest.approx((found == truth)[:80].mean())  # of those that have labels


def test_names_of_classes_are_told():
    names = np.array(["one", "other", None], dtype=object)[np.arange(48) % 3]
    rows = np.eye(3, dtype=np.float32)[np.arange(48) % 3]
    method = FixMatch(
        encoder="linear", views=Pair(Same(), Same()), epochs=1, batch_size=16, device="cpu"
    ).fit(rows, names)
    assert set(method.predict(rows)) <= {"one", "other"}
    with pytest.raises(ValueError, match="y must hold at least one label"):
        method.score(rows, [None] * 48)


def test_without_unlabelled_samples_it_points_to_supervised():
    samples = few_digits(labelled=256)
    with pytest.raises(
        ValueError, match=r"without a label \(-1\), too; got labels of all 256. Use Supervised"
    ) as error:
        FixMatch().prepare(samples)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(("cls", "share"), [(FixMatch, 8 / 64), (Supervised, 1.0)])
def test_every_batch_has_its_share_of_labels(cls, share):
    samples = few_digits()
    order = cls(batch_size=64).order(samples)
    labels = samples.labels[order(3)].reshape(-1, 64)
    assert labels.shape == (4, 64)
    assert ((labels != UNLABELLED).mean(1) == share).all()


@pytest.mark.all
def test_supervised_learns_from_few_labels_among_many_samples():
    samples = few_digits(2_000, labelled=100)
    method = Supervised(encoder="mlp", epochs=6, batch_size=64, device="cpu").fit(samples)
    truth = replearn.load_data("digits", split="train").labels[:2_000]
    assert method.score(samples, truth) > 0.6
