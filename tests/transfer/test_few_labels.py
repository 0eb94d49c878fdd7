"""Fine-tuning with few labels: steps enough, views while layers learn, averages of weights that answer."""

import copy
import logging
from dataclasses import dataclass

import pytest
import torch
from made_up import model, pairs, spans, tags, texts

import replearn
from replearn.transfer import FineTune
from replearn.transfer.weight_average import WeightAverage
from replearn.views import Noise, Pair, Same, Split

TINY = {"encoder": "cnn", "epochs": 2, "batch_size": 16, "device": "cpu", "precision": "32-true"}
LABELS = [0, 1] * 32


@pytest.fixture(scope="module")
def rows():
    found = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(0)) / 2
    found[1::2, :, :, 4:] += 0.3
    return found


def states(found):
    return {
        f"{name}.{key}": value.clone()
        for name, m in found.modules().items()
        for key, value in m.state_dict().items()
    }


def assert_same(a, b):
    assert a.keys() == b.keys()
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_epochs_that_are_not_given_are_enough_for_the_steps(rows, caplog):
    caplog.set_level(logging.INFO, "replearn")
    asked = FineTune(**TINY | {"epochs": None}, least_steps=50)
    found = asked.fit(rows, LABELS)
    assert found.steps_ == (52, 52)
    assert asked.epochs is None
    lines = [line for line in caplog.messages if "labelled samples" in line]
    assert lines == [
        "13 epochs, for at least 50 steps: of 64 labelled samples, 10 epochs have 40; epochs=10 takes these"
    ]


@pytest.mark.parametrize(("least", "steps"), [(0, 40), (40, 40), (41, 44)])
def test_ten_epochs_are_the_least(rows, least, steps):
    assert FineTune(**TINY | {"epochs": None}, least_steps=least).fit(rows, LABELS).steps_ == (steps, steps)


def test_epochs_that_are_given_are_never_changed(rows):
    assert FineTune(**TINY).fit(rows, LABELS).steps_ == (8, 8)
    with pytest.raises(ValueError, match="least_steps must be left out for FineTune, since epochs are given"):
        FineTune(**TINY, least_steps=50).fit(rows, LABELS)


def test_steps_of_gradients_that_are_added_up_count_once(rows):
    assert (
        FineTune(**TINY | {"epochs": None, "accumulate": 2}, least_steps=25).fit(rows, LABELS).steps_[1] == 26
    )


def test_the_average_is_that_of_the_papers_equation():
    """In float64, as a loop: the mean of all steps, then an exponential one; statistics of batches, too."""
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).double()
    average = WeightAverage({"net": net}, momentum=0.8)
    wanted = dict.fromkeys(net.state_dict())
    for step in range(12):
        for tensor in (*net.parameters(), *net.buffers()):
            tensor.data = torch.randn(tensor.shape).double() if tensor.is_floating_point() else tensor + 1
        average.follow()
        m = min(0.8, step / (step + 1))
        for key, now in net.state_dict().items():
            before = wanted[key]
            floating = now.is_floating_point() and before is not None
            wanted[key] = m * before + (1 - m) * now if floating else now.clone()
    learned = copy.deepcopy(net.state_dict())
    with average.answering():
        for key, value in net.state_dict().items():
            assert torch.allclose(value, wanted[key]), key
    assert all(torch.equal(value, learned[key]) for key, value in net.state_dict().items())
    average.put()
    assert all(torch.allclose(value, wanted[key]) for key, value in net.state_dict().items())


def test_the_average_answers(rows, monkeypatch):
    """Over so few steps it is the mean of all."""
    seen = []
    after = FineTune.after_step
    monkeypatch.setattr(
        FineTune,
        "after_step",
        lambda self, progress: (seen.append(states_of_learners(self)), after(self, progress))[1],
    )
    found = FineTune(**TINY, momentum=0.999).fit(rows, LABELS)
    assert set(found.modules()) == {"encoder_", "head_"}
    for key, value in states_of_learners(found).items():
        wanted = torch.stack([step[key] for step in seen]).double().mean(0)
        assert torch.allclose(value.double(), wanted, rtol=1e-4, atol=1e-6), key


def states_of_learners(found):
    learners = {name: module for name, module in found.modules().items() if name in ("encoder_", "head_")}
    return {
        f"{name}.{key}": value.clone()
        for name, module in learners.items()
        for key, value in module.state_dict().items()
        if value.is_floating_point()
    }


def test_without_momentum_the_last_weights_answer(rows):
    assert_same(
        states(FineTune(**TINY).fit(rows, LABELS)), states(FineTune(**TINY, momentum=0.0).fit(rows, LABELS))
    )


def test_the_best_epoch_is_chosen_by_the_average_and_kept_of_it(rows, monkeypatch):
    from replearn.transfer.early_stopping import BestKeeper

    scores, kept = iter([0.5, 0.9, 0.7]), []
    see = BestKeeper.see

    def watched(keeper, score, loss):
        kept.append(keeper._kept["head_"].linear.weight.detach().clone())
        see(keeper, next(scores), loss)

    monkeypatch.setattr(BestKeeper, "see", watched)
    asked = TINY | {"epochs": 3, "validation": 0.25, "patience": 9}
    found = FineTune(**asked, momentum=0.9).fit(rows, LABELS)
    assert torch.equal(found.head_.linear.weight, kept[1])
    scores, last = iter([0.5, 0.9, 0.7]), kept[1]
    FineTune(**asked).fit(rows, LABELS)
    assert not torch.equal(last, kept[4])  # which was that of the last weights


@pytest.mark.parametrize("validation", [0.0, 0.25])
def test_a_resumed_training_ends_as_an_unbroken_one(rows, tmp_path, monkeypatch, validation):
    fields = TINY | {
        "views": Pair(Noise(0.2)),
        "momentum": 0.9,
        "validation": validation,
        "patience": 9 if validation else 3,
        "checkpoint_minutes": 0.0,
    }
    whole = FineTune(**fields).fit(rows, LABELS)
    after, steps = FineTune.after_step, []

    def stop_in_the_middle(self, progress):
        after(self, progress)
        steps.append(progress)
        if len(steps) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(FineTune, "after_step", stop_in_the_middle)
    with pytest.raises(KeyboardInterrupt):
        FineTune(**fields).fit(rows, LABELS, run=tmp_path / "run")
    monkeypatch.undo()
    assert_same(
        states(whole), states(FineTune(**fields).fit(rows, LABELS, run=tmp_path / "run", resume=True))
    )
    again = replearn.load(tmp_path / "run")
    assert again.views == fields["views"]
    assert (again.predict_proba(rows) == whole.predict_proba(rows)).all()


def test_views_are_seen_in_training_and_not_in_answers(rows):
    plain = FineTune(**TINY).fit(rows, LABELS)
    same = FineTune(**TINY, views=Pair(Same(), Noise(0.5))).fit(rows, LABELS)  # the first one is taken
    assert_same(states(plain), states(same))
    noisy = FineTune(**TINY, views=Pair(Noise(0.5))).fit(rows, LABELS)
    assert any(
        not torch.equal(a, b) for a, b in zip(states(plain).values(), states(noisy).values(), strict=True)
    )
    assert (noisy.predict_proba(rows) == noisy.predict_proba(rows)).all()


@pytest.mark.parametrize("views", ["auto", "drawing"])
def test_views_by_name(rows, views):
    found = FineTune(**TINY | {"epochs": 1}, views=views).fit(rows, LABELS)
    assert len(found.views_(replearn.as_samples(rows)[torch.arange(4).numpy()])) == 1


def test_texts_have_views_where_they_are_classes():
    found = model(views="text", epochs=1).fit(*texts(32))
    assert found.score(*texts(32)) >= 0.0
    assert any(
        not torch.equal(a, b)
        for a, b in zip(states(found).values(), states(model(epochs=1).fit(*texts(32))).values(), strict=True)
    )


@pytest.mark.parametrize(
    ("fields", "data", "why"),
    [
        ({"task": "tag"}, tags, "the task is tag"),
        ({"task": "span"}, spans, "the task is span"),
        ({"task": "pair"}, pairs, "the task is pair"),
        ({"trained": "frozen"}, texts, "samples are read once"),
    ],
)
def test_where_views_make_no_sense_they_are_refused(fields, data, why):
    with pytest.raises(ValueError, match=f"views must be left out for FineTune, since {why}") as error:
        model(**fields, encoder_rate=None, views="text").fit(*data(32))
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"momentum": 1.0}, r"momentum must lie in \[0, 1\)"),
        ({"momentum": -0.1}, r"momentum must lie in \[0, 1\)"),
        ({"least_steps": -1}, "least_steps must not be negative"),
        ({"views": "drawings"}, "views must be one of .* Did you mean 'drawing'"),
        ({"views": "text"}, "views 'text' are not for samples of kind 'image'"),
    ],
)
def test_what_can_not_be(rows, fields, told):
    with pytest.raises(ValueError, match=told):
        FineTune(**TINY | {"epochs": None} | fields).fit(rows, LABELS)


@dataclass(frozen=True)
class Own(Split):
    """A view that nobody knows."""

    def __call__(self, batch):
        return (batch.floats(),)


def test_views_of_ones_own_are_not_stored(rows, tmp_path):
    found = FineTune(**TINY, views=Own()).fit(rows, LABELS, run=tmp_path / "run")
    again = replearn.load(tmp_path / "run")
    assert (again.predict_proba(rows) == found.predict_proba(rows)).all()
    assert replearn.load(tmp_path / "run", views=Own()).views == Own()
    FineTune(**TINY).fit(rows, LABELS, run=tmp_path / "plain")
    with pytest.raises(ValueError, match="the run must have views of your own"):
        replearn.load(tmp_path / "plain", views=Own())


def test_networks_of_texts_learn_more_slowly_than_others(rows):
    assert FineTune(**TINY).prepare(rows, LABELS).rates() == {"encoder_": 1.0}
    assert model(encoder_rate=None).prepare(*texts(32)).rates() == {"encoder_": 0.05}
    assert FineTune(**TINY, encoder_rate=0.2).prepare(rows, LABELS).rates() == {"encoder_": 0.2}
