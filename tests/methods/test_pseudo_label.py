"""Pseudo-label: the paper's two terms and its ramp, guesses that get no gradient, runaway guesses that are told."""

import numpy as np
import pytest
import torch

from made_labels import few_digits, prepared, truth
from replearn.data.labels import UNLABELLED
from replearn.engine.symptoms import SYMPTOMS
from replearn.methods import PseudoLabel
from replearn.methods.labelled.semi_supervised import confident, guessed_classes
from replearn.views import MultiCrop, Noise, Same

NOISY = MultiCrop(Noise(0.3), Same(), 0, 1)


@pytest.mark.parametrize("threshold", [0.0, 0.12])
def test_loss_is_that_of_the_paper(threshold):
    """Equation 15 as a loop, in float64."""
    method, samples = prepared(PseudoLabel, weight=2.0, threshold=threshold, views=NOISY)
    method.student_.double().eval()
    method.risen_.value.fill_(0.3)
    batch = samples[np.arange(60, 100)]
    torch.manual_seed(1)
    said = method.student_(method.views_(batch)[0]).detach().softmax(1)
    known, guessed = [], []
    for row, label in zip(said, batch.labels.tolist(), strict=True):
        if label != UNLABELLED:
            known.append(-row[label].log())
        else:
            guessed.append(-row.max().log() if row.max() >= threshold else 0.0)
    torch.manual_seed(1)
    terms = {name: term() for name, term in method.terms(batch).items()}
    assert terms["labelled"].item() == pytest.approx(float(sum(known)) / len(known), rel=1e-6)
    alpha = 0.3 * 2.0
    assert terms["unlabelled"].item() == pytest.approx(alpha * float(sum(guessed)) / len(guessed), rel=1e-6)
    assert (0.0 in guessed) == bool(threshold)


def test_guesses_get_no_gradient():
    """That of a row is of cross-entropy to a label that is given: q - onehot(argmax q), which ends in nothing else."""
    method, samples = prepared(PseudoLabel)
    method.risen_.value.fill_(1.0)
    logits = torch.randn(40, 10, dtype=torch.float64, requires_grad=True)
    method.unlabelled(logits, samples[np.arange(60, 100)]).backward()
    told = logits.detach().softmax(1)
    told[torch.arange(40), told.argmax(1)] -= 1
    told[:20] = 0  # those have labels
    torch.testing.assert_close(logits.grad, told / 20)


def test_the_weight_rises_as_in_the_paper():
    """Equation 16: nothing, then a line, then all."""
    method, _ = prepared(PseudoLabel, start=0.2, rise=0.6)
    assert float(method.risen_.value) == 0.0
    found = []
    for progress in (0.0, 0.2, 0.3, 0.4, 0.6, 0.9):
        method.after_step(progress)
        found.append(float(method.risen_.value))
    assert found == pytest.approx([0.0, 0.0, 0.25, 0.5, 1.0, 1.0])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"threshold": 1.5}, r"threshold must lie in \[0, 1\]; got 1.5"),
        ({"start": 0.7}, "start and rise must be shares .*; got 0.7 and 0.6"),
        ({"rise": 1.5}, "start and rise must be shares .*; got 0.1 and 1.5"),
    ],
)
def test_fields_that_cannot_be_are_refused(given, told):
    with pytest.raises(ValueError, match=told) as error:
        PseudoLabel(**given).prepare(few_digits())
    assert len(str(error.value).splitlines()) == 1


def test_measures_of_guesses():
    logits = torch.full((8, 4), -50.0)
    logits[torch.arange(8), torch.arange(8) % 2] = 50.0
    assert guessed_classes(logits).item() == pytest.approx(0.5)
    labels = torch.tensor([0, UNLABELLED] * 4)
    logits[:3] = 0.0
    assert confident(logits, labels, threshold=0.95).item() == pytest.approx(3 / 4)
    assert confident(logits, torch.zeros(8, dtype=torch.long), threshold=0.95).item() == 0.0


@pytest.mark.all
def test_guesses_that_run_away_are_told_and_others_are_not():
    """Of labels of two classes in ten, with a weight beyond all measure, guesses are of those two."""
    healthy = PseudoLabel(encoder="mlp", epochs=30, batch_size=32, mu=1, device="cpu", views=NOISY).fit(
        few_digits()
    )
    assert healthy.history_.alarms == []
    assert healthy.history_.rows[-1]["guessed_classes"] > 0.8
    assert healthy.history_.rows[-1]["confident"] == 1.0
    assert healthy.score(few_digits(), truth()) > 0.7
    ill = few_digits()
    ill.labels[np.isin(ill.labels, np.arange(2, 10))] = UNLABELLED
    run = PseudoLabel(
        encoder="mlp",
        epochs=30,
        batch_size=32,
        mu=1,
        device="cpu",
        views=NOISY,
        weight=10.0,
        start=0.0,
        rise=0.01,
    ).fit(ill)
    told = [alarm for alarm in run.history_.alarms if alarm.kind == SYMPTOMS["guessed_classes"].kind]
    assert len(told) == 1
    assert "Lower weight" in told[0].remedy
