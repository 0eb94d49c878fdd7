"""UDA: the paper's two terms, its annealing, texts."""

import math

import numpy as np
import pytest
import torch

import replearn
from made_labels import few_digits, prepared
from made_texts import made_texts
from replearn.data.labels import UNLABELLED
from replearn.methods import UDA
from replearn.views import Noise, Pair, ReplaceWords, Same

VIEWS = Pair(Same(), Noise(0.3))


def softmax(row, temperature=1.0):
    weights = [math.exp(value / temperature) for value in row]
    return [weight / sum(weights) for weight in weights]


LIMITS = {
    "linear": lambda t: t,
    "log": lambda t: 1 - math.exp(-t * 5),
    "exp": lambda t: math.exp((t - 1) * 5),
}


@pytest.mark.parametrize("annealing", [*LIMITS, "none"])
@pytest.mark.parametrize(("threshold", "done"), [(0.0, 0.3), (0.5, 0.03)])
def test_loss_is_that_of_the_paper(threshold, done, annealing):
    """Section 2, with what is added in it and in appendix A, as loops in float64."""
    method, samples = prepared(
        UDA, views=VIEWS, threshold=threshold, temperature=0.5, weight=0.7, annealing=annealing
    )
    batch = samples[np.arange(60, 100)]
    drawn = torch.Generator().manual_seed(0)
    said = [3 * torch.randn(40, 10, generator=drawn, dtype=torch.float64) for _ in range(2)]
    said[0][torch.arange(3), batch.labels[:3]] += 15  # of which it is sure
    method.say = lambda batch: said
    method.after_step(done)
    alpha = LIMITS[annealing](done) if annealing != "none" else math.inf
    limit = alpha * (1 - 1 / 10) + 1 / 10
    supervised, consistency, without, left_out, unsure = [], 0.0, 0, 0, 0
    for label, weak, strong in zip(batch.labels.tolist(), *(view.tolist() for view in said), strict=True):
        p, q, sharp = softmax(weak), softmax(strong), softmax(weak, 0.5)
        if label != UNLABELLED:
            if p[label] < limit:
                supervised.append(-math.log(p[label]))
            else:
                left_out += 1
            continue
        without += 1
        if max(p) > threshold:
            consistency += sum(s * (math.log(s) - math.log(o)) for s, o in zip(sharp, q, strict=True))
        else:
            unsure += 1
    terms = {name: term().item() for name, term in method.terms(batch).items()}
    assert terms["labelled"] == pytest.approx(sum(supervised) / len(supervised), rel=1e-5)
    assert terms["unlabelled"] == pytest.approx(0.7 * consistency / without, rel=1e-5)
    assert (left_out > 0) == (annealing != "none")
    assert (unsure > 0) == (threshold > 0)


def test_limits_rise_from_chance_to_certainty():
    for annealing in LIMITS:
        method, _ = prepared(UDA, views=VIEWS, annealing=annealing)
        limits = []
        for done in (0.0, 0.5, 1.0):
            method.after_step(done)
            limits.append(float(method.limit(10)))
        assert limits == sorted(limits)
        assert limits[0] == pytest.approx(0.1, abs=0.01)
        assert limits[2] == pytest.approx(1.0, abs=0.01)
        assert (limits[1] > 0.9, limits[1] < 0.2) == (annealing == "log", annealing == "exp")


def test_the_limit_is_kept_with_the_weights(tmp_path):
    samples = few_digits()
    method = UDA(encoder="mlp", epochs=2, batch_size=64, device="cpu").fit(samples, run=tmp_path / "run")
    assert 0.5 < float(method.done_.value) < 1
    assert float(replearn.load(tmp_path / "run").done_.value) == float(method.done_.value)


def test_no_gradient_passes_through_the_sharpened_answer():
    method, samples = prepared(UDA, views=VIEWS, threshold=0.0)
    weak, strong = (torch.randn(40, 10, requires_grad=True) for _ in range(2))
    method.unlabelled([weak, strong], samples[np.arange(60, 100)]).backward()
    assert weak.grad is None
    assert (strong.grad[:20] == 0).all()  # those have labels
    assert (strong.grad[20:] != 0).any(1).all()


def test_equal_answers_are_no_loss_without_sharpening():
    method, samples = prepared(UDA, views=VIEWS, threshold=0.0, temperature=1.0)
    weak = torch.randn(40, 10)
    batch = samples[np.arange(60, 100)]
    assert method.unlabelled([weak, weak], batch).item() == pytest.approx(0.0, abs=1e-6)
    method.temperature = 0.5
    assert method.unlabelled([weak, weak], batch).item() > 0.05


def test_labels_that_are_known_give_no_gradient():
    method, samples = prepared(UDA, views=VIEWS)
    method.after_step(0.5)
    logits = torch.zeros(40, 10)
    labels = samples[np.arange(40)].labels
    logits[torch.arange(40), labels] = torch.linspace(-2, 6, 40)
    logits.requires_grad_()
    method.labelled([logits], samples[np.arange(40)]).backward()
    known = logits.detach().softmax(1)[torch.arange(40), labels] >= 0.55
    assert 0 < known.sum() < 40
    assert torch.equal(logits.grad.abs().sum(1) == 0, known)
    sure = torch.zeros(40, 10)
    sure[torch.arange(40), labels] = 50.0
    assert method.labelled([sure], samples[np.arange(40)]).item() == 0  # none is left


def test_it_reads_texts():
    pytest.importorskip("tokenizers")
    texts = [f"{'tea' if i % 2 else 'sea'} {text}" for i, text in enumerate(made_texts(120, most=8))]
    labels = np.where(np.arange(120) < 40, np.arange(120) % 2, UNLABELLED)
    method = UDA(encoder="words", epochs=30, batch_size=32, learning_rate=0.02, device="cpu")
    method.fit(texts, labels)
    assert isinstance(method.views_.other, ReplaceWords)
    assert method.score(texts[40:], np.arange(40, 120) % 2) > 0.9


def test_what_cannot_be():
    samples = few_digits()
    for given, message in (
        ({"annealing": "cosine"}, "annealing must be linear, log, exp or none; got 'cosine'"),
        ({"threshold": 1.2}, r"threshold must lie in \[0, 1\]; got 1.2"),
        ({"temperature": 0.0}, "temperature must be greater than 0; got 0.0"),
    ):
        method = UDA(encoder="mlp").set_params(**given)
        with pytest.raises(ValueError, match=message) as error:
            method.prepare(samples)
        assert len(str(error.value).splitlines()) == 1
