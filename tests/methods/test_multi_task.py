"""MultiTask: its losses and the equations of its weightings, missing entries, units that weigh nothing."""

import math
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
import torch

import replearn
from replearn.data import needed
from replearn.engine.machine import choose, make_fabric
from replearn.engine.step import Step, one_step
from replearn.methods import MultiTask
from replearn.methods.labelled import surgery
from replearn.methods.labelled.surgery import AGGREGATORS, PROGRAMS, combined, without_conflicts
from replearn.views import Crop, Pair

WEIGHTINGS = ("uniform", "uncertainty", "pcgrad")


def rows(n=96, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32)


def columns(x):
    """Two classes, four classes and a number, of which unlike numbers are known."""
    place = np.arange(len(x))
    side = np.where(place % 3, np.where(x[:, 0] > 0, "up", "down"), None).astype(object)
    quarter = (x[:, 1] > 0) * 2 + (x[:, 2] > 0)
    weight = np.where(place % 5, 40 + 7 * x[:, 3] + 3 * x[:, 0], np.nan)
    return {"side": side, "quarter": quarter, "weight": weight}


def made(**given):
    x = rows()
    settings = {"encoder": "mlp", "batch_size": 32, "device": "cpu", "random_state": 1}
    method = MultiTask(**settings | given)
    samples = replearn.as_samples(x, columns(x))
    method.prepare(samples)
    return method, method.reading(samples)


def slow_losses(method, samples, index):
    """Of each target the mean over those of which it is known, in float64, sample by sample."""
    with torch.no_grad():
        out = method.heads_(method.encoder_(samples[index])).double().tolist()
    known = samples.targets[np.arange(len(samples))].column("weight")
    mean = np.nanmean(known)
    deviation = np.nanstd(known)
    told = {name: samples.targets.column(name)[index] for name in samples.targets.names}
    found = {"side": [], "quarter": [], "weight": []}
    for i, row in enumerate(out):
        for name, logits in (("side", row[:2]), ("quarter", row[2:6])):
            if not math.isnan(told[name][i]):
                whole = sum(math.exp(value) for value in logits)
                found[name].append(-math.log(math.exp(logits[int(told[name][i])]) / whole))
        if not math.isnan(told["weight"][i]):
            found["weight"].append((row[6] - (told["weight"][i] - mean) / deviation) ** 2)
    return [sum(values) / len(values) for values in found.values()], [len(v) for v in found.values()]


@pytest.mark.parametrize("weighting", ["uniform", "pcgrad"])
def test_losses_are_means_over_what_is_known(weighting):
    method, samples = made(weighting=weighting)
    index = np.arange(10, 42)
    expected, counts = slow_losses(method, samples, index)
    terms = method.terms(samples[index])
    assert list(terms) == ["side_loss", "quarter_loss", "weight_loss"]
    assert [term().item() for term in terms.values()] == pytest.approx(expected, rel=1e-5)
    assert list(method.loss_count(samples[index]).values()) == counts
    assert len(set(counts)) == 3


def test_uncertainty_is_that_of_the_paper():
    """Kendall et al., equations 7 and 10 as a loop: s = ln sigma^2."""
    method, samples = made(weighting="uncertainty")
    logs = [0.3, -0.7, 1.1]
    method.log_variances_[0].data = torch.tensor(logs)
    index = np.arange(10, 42)
    losses, _ = slow_losses(method, samples, index)
    expected = []
    for s, loss, is_number in zip(logs, losses, (False, False, True), strict=True):
        sigma = math.sqrt(math.exp(s))
        expected.append(loss / ((2 if is_number else 1) * sigma**2) + math.log(sigma))
    found = method.terms(samples[index])
    assert [term().item() for term in found.values()] == pytest.approx(expected, rel=1e-5)
    found = method.terms(samples[index])
    sum(term() for term in found.values()).backward()
    for s, loss, half, slope in zip(logs, losses, (1, 1, 0.5), method.log_variances_[0].grad, strict=True):
        assert slope.item() == pytest.approx(0.5 - half * loss * math.exp(-s), rel=1e-4)


def test_variances_have_a_rate_of_their_own_and_no_decay():
    method, _ = made(weighting="uncertainty", variance_rate=7.0)
    optimizer = replearn.engine.optimizers.make_optimizer(
        "adamw", method.modules(), learning_rate=1e-3, weight_decay=0.1, rates=method.rates()
    )
    (group,) = (g for g in optimizer.param_groups if g["params"][0] is method.log_variances_[0])
    assert (group["scale"], group["weight_decay"], len(group["params"])) == (7.0, 0.0, 1)
    assert "log_variances_" not in made()[0].modules()


@pytest.mark.all
def test_variances_settle_where_the_paper_says():
    """At the least of exp(-s) L + s/2 the weight exp(-s) is 1 / 2 L, and of numbers 1 / L."""
    x = rows(400)
    noise = np.random.default_rng(5).normal(size=400)
    y = {"easy": 2 * x[:, 0] + 0.3 * noise, "hard": 0.3 * x[:, 1] + 2 * noise}
    method = MultiTask(
        encoder="linear", weighting="uncertainty", epochs=60, batch_size=50, device="cpu", learning_rate=3e-3
    ).fit(x, y)
    weights = (-method.log_variances_[0]).exp().tolist()
    errors = [1 - score for score in method.scores(x, y).values()]
    assert [w * e for w, e in zip(weights, errors, strict=True)] == pytest.approx([1, 1], abs=0.1)
    assert weights[0] > 10 * weights[1]
    assert {"easy_weight", "hard_weight", "easy_loss", "hard_loss"} <= method.history_.rows[-1].keys()


def slow_surgery(gradients, orders):
    """Algorithm 1 of Yu et al., vector by vector."""
    total = [0.0] * len(gradients[0])
    for i, own in enumerate(gradients):
        bent = list(own)
        for j in sorted((j for j in range(len(gradients)) if j != i), key=lambda j: orders[i][j]):
            dot = sum(a * b for a, b in zip(bent, gradients[j], strict=True))
            if dot < 0:
                square = sum(b * b for b in gradients[j])
                bent = [a - dot / square * b for a, b in zip(bent, gradients[j], strict=True)]
        total = [a + b for a, b in zip(total, bent, strict=True)]
    return total


@pytest.mark.parametrize("tasks", [1, 2, 3, 6])
def test_surgery_is_the_algorithm_of_the_paper(tasks):
    torch.manual_seed(tasks)
    for _ in range(20):
        gradients, orders = torch.randn(tasks, 4).double(), torch.rand(tasks, tasks).double()
        expected = slow_surgery(gradients.tolist(), orders.tolist())
        assert without_conflicts(gradients, orders).tolist() == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_surgery_bends_only_what_conflicts():
    torch.manual_seed(0)
    agreeing = torch.rand(3, 5)  # all products are positive
    assert torch.allclose(without_conflicts(agreeing, torch.rand(3, 3)), agreeing.sum(0))
    across = torch.eye(3)
    assert torch.allclose(without_conflicts(across, torch.rand(3, 3)), torch.ones(3))


def test_of_two_gradients_that_conflict_none_works_against_the_other_afterwards():
    torch.manual_seed(0)
    met = 0
    for _ in range(50):
        a, b = torch.randn(2, 3).double()
        if a @ b >= 0:
            continue
        met += 1
        whole = without_conflicts(torch.stack([a, b]), torch.rand(2, 2))
        assert whole @ a > 0
        assert whole @ b > 0
        bent = a - (a @ b) / (b @ b) * b
        assert bent @ b == pytest.approx(0, abs=1e-12)
        assert torch.allclose(whole, bent + b - (a @ b) / (a @ a) * a)
    assert met > 10


def test_a_loss_without_gradient_bends_nothing():
    gradients = torch.tensor([[1.0, -1.0], [0.0, 0.0], [-1.0, 0.5]])
    found = without_conflicts(gradients, torch.rand(3, 3))
    assert found.isfinite().all()
    assert torch.allclose(found, without_conflicts(gradients[[0, 2]], torch.rand(2, 2)))


jacobian_descent = pytest.mark.skipif(find_spec("torchjd") is None, reason="torchjd is not installed")
quadratic = pytest.mark.skipif(find_spec("quadprog") is None, reason="quadprog is not installed")


def in_conflict():
    """Two gradients that work against each other, many times."""
    torch.manual_seed(0)
    pairs = torch.randn(40, 2, 3).double()
    return [pair for pair in pairs if pair[0] @ pair[1] < 0]


@jacobian_descent
def test_mgda_is_the_shortest_mixture():
    for a, b in in_conflict():
        share = ((b - a) @ b / ((a - b) @ (a - b))).clamp(0, 1)
        found = combined("mgda", torch.stack([a, b]), torch.rand(2, 2))
        torch.testing.assert_close(found, share * a + (1 - share) * b, rtol=0.05, atol=0.05)


@jacobian_descent
@quadratic
def test_upgrad_is_the_mean_of_both_across_the_other():
    for a, b in in_conflict():
        up = ((a - (a @ b) / (b @ b) * b) + (b - (a @ b) / (a @ a) * a)) / 2
        found = combined("upgrad", torch.stack([a, b]), torch.rand(2, 2))
        torch.testing.assert_close(found, up, rtol=1e-2, atol=1e-2)


@jacobian_descent
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=quadratic) if name in PROGRAMS else name for name in AGGREGATORS]
)
def test_no_aggregator_hears_a_loss_without_gradient(name):
    gradients = torch.tensor([[1.0, -1.0], [0.0, 0.0], [-1.0, 0.5]])
    found = combined(name, gradients, torch.rand(3, 3))
    assert torch.equal(found, combined(name, gradients[[0, 2]], torch.rand(2, 2)))
    assert found.any()
    assert not combined(name, torch.zeros(2, 3), torch.rand(2, 2)).any()


@jacobian_descent
def test_an_aggregator_makes_the_gradient_of_the_encoder_and_of_nothing_else():
    plain, samples = made(encoder="linear")
    method, _ = made(weighting="mgda", encoder="linear")
    for module in (*plain.modules().values(), *method.modules().values()):
        module.double().eval()
    method.encoder_.load_state_dict(plain.encoder_.state_dict())
    method.heads_.load_state_dict(plain.heads_.state_dict())
    batch = samples[np.arange(16)]
    each = torch.stack([gradients_of(plain, batch, [name])["encoder_"] for name in plain.terms(batch)])
    found = gradients_of(method, batch)
    torch.testing.assert_close(found["encoder_"], combined("mgda", each, torch.rand(3, 3)))
    torch.testing.assert_close(found["heads_"], gradients_of(plain, batch)["heads_"])


def test_an_aggregator_without_its_package_is_one_line(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(needed, "find_spec", lambda name: None)
        with pytest.raises(
            ValueError, match=r"weighting='mgda' needs torchjd, which .*pip install 'replearn\[torchjd\]'"
        ):
            made(weighting="mgda")
    monkeypatch.setattr(surgery, "find_spec", lambda name: None if name == "quadprog" else surgery)
    with pytest.raises(ValueError, match=r"quadprog .*pip install 'torchjd\[quadprog-projector\]'"):
        made(weighting="upgrad")
    made(weighting="pcgrad")


def gradients_of(method, batch, names=None):
    """The gradient of each module by some of the losses."""
    for module in method.modules().values():
        module.zero_grad(set_to_none=True)
    torch.manual_seed(3)
    terms = method.terms(batch)
    sum(terms[name]() for name in names or terms).backward()
    return {
        name: torch.cat([p.grad.flatten() for p in module.parameters() if p.grad is not None])
        for name, module in method.modules().items()
    }


@pytest.mark.all
def test_pcgrad_changes_the_gradient_of_the_encoder_and_of_nothing_else():
    plain, samples = made()
    method, _ = made(weighting="pcgrad")
    for module in (*plain.modules().values(), *method.modules().values()):
        module.double().eval()
    method.encoder_.load_state_dict(plain.encoder_.state_dict())
    method.heads_.load_state_dict(plain.heads_.state_dict())
    conflicts = 0
    for start in range(0, 96, 8):
        batch = samples[np.arange(start, start + 8)]
        each = [gradients_of(plain, batch, [name])["encoder_"] for name in plain.terms(batch)]
        found = gradients_of(method, batch)
        torch.manual_seed(3)
        expected = slow_surgery([g.tolist() for g in each], torch.rand(3, 3).tolist())
        assert found["encoder_"].tolist() == pytest.approx(expected, rel=1e-6, abs=1e-9)
        assert torch.allclose(found["heads_"], gradients_of(plain, batch)["heads_"], atol=1e-12)
        conflicts += not torch.allclose(found["encoder_"], sum(each), rtol=1e-6)
    assert conflicts > 0


def test_slices_leave_the_gradient_of_pcgrad_as_it_is():
    from replearn.engine.slices import in_slices

    found = []
    for size in (None, 5):
        method, samples = made(weighting="pcgrad", encoder="linear")
        step = Step(method).double().train()
        with in_slices(step, size):
            found.append(gradients_of(method, samples[np.arange(16)].part_of(16, start=0)))
    for name, expected in found[0].items():
        assert torch.allclose(found[1][name], expected, rtol=1e-9, atol=1e-12), name


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_a_batch_in_which_nothing_is_known_of_a_target_moves_only_the_others(weighting):
    x = rows()
    y = columns(x) | {"weight": np.where(np.arange(96) < 60, np.nan, x[:, 3] + 0.5)}
    method = MultiTask(encoder="mlp", weighting=weighting, device="cpu").prepare(x, y)
    batch = replearn.as_samples(x)[np.arange(32)]
    assert method.loss_count(batch)["weight_loss"] == 0
    assert method.terms(batch)["weight_loss"]().item() == pytest.approx(0, abs=1e-7)
    gradients_of(method, batch)
    assert not method.heads_.weight.grad[6:].any()
    assert method.heads_.weight.grad[:6].any()
    if weighting == "uncertainty":
        assert method.log_variances_[0].grad.tolist()[2] == 0


@pytest.mark.parametrize("weighting", ["uniform", "uncertainty"])
def test_batches_whose_gradients_add_up_have_each_loss_over_all_that_is_known(weighting):
    found = []
    for size in (32, 8):
        method, samples = made(weighting=weighting, encoder="linear")
        step = Step(method).double()
        fabric = make_fabric(choose("cpu", "32-true"))
        module, optimizer = fabric.setup(step, torch.optim.SGD(step.parameters()))
        index = np.arange(32)
        parts = [samples[index[i : i + size]].part_of(32, start=i) for i in range(0, 32, size)]
        loss, named = one_step(fabric, module, optimizer, parts, 0.0)
        found.append((loss, named, [p.grad for p in step.parameters()]))
    assert found[0][1].keys() == found[1][1].keys()
    for name, value in found[0][1].items():
        assert found[1][1][name].item() == pytest.approx(value.item(), rel=1e-5), name
    for one, other in zip(found[0][2], found[1][2], strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_a_target_in_other_units_moves_no_other(weighting):
    """28 times as large and shifted: nothing changes but rounding."""
    x = rows(300)
    y = columns(x)
    fields = {"encoder": "mlp", "epochs": 8, "batch_size": 75, "learning_rate": 3e-3, "device": "cpu"}
    answers = []
    for scale, shift in ((1.0, 0.0), (28.0, -500.0)):
        method = MultiTask(**fields, weighting=weighting)
        scaled = y | {"weight": y["weight"] * scale + shift}
        answers.append(method.fit(x, scaled).scores(x, scaled))
    for name, score in answers[0].items():
        assert answers[1][name] == pytest.approx(score, abs=0.02), name
    assert answers[0]["weight"] > 0.5


def test_without_standardising_units_would_decide(monkeypatch):
    """What the test above would find if numbers were learned as they are given."""
    x = rows(300)
    y = columns(x)
    fields = {"encoder": "mlp", "epochs": 8, "batch_size": 75, "learning_rate": 3e-3, "device": "cpu"}
    before = MultiTask(**fields).fit(x, y).scores(x, y)["quarter"]
    right, unit = MultiTask._standardised, np.array([1, 1, 28], np.float32)
    monkeypatch.setattr(MultiTask, "_standardised", lambda self, targets: unit * right(self, targets))
    after = MultiTask(**fields).fit(x, y)
    assert after.scores(x, y)["quarter"] < before - 0.02


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_it_answers_all_from_one_representation(weighting, tmp_path):
    x, other = rows(500), rows(300, seed=9)
    y, truth = columns(x), columns(other)
    fields = {"encoder": "mlp", "epochs": 16, "batch_size": 100, "learning_rate": 3e-3, "device": "cpu"}
    method = MultiTask(**fields, weighting=weighting).fit(x, y)
    found = method.predict(other)
    assert list(found) == ["side", "quarter", "weight"]
    assert set(found["side"]) == {"up", "down"}
    assert found["quarter"].dtype.kind == "i"
    assert found["weight"].mean() == pytest.approx(40, abs=2)
    shares = method.predict_proba(other)
    assert list(shares) == ["side", "quarter"]
    assert np.allclose(shares["quarter"].sum(1), 1, atol=1e-6)
    assert (method.classes_["side"][shares["side"].argmax(1)] == found["side"]).all()
    scores = method.scores(other, pd.DataFrame(truth))
    known = np.array([name is not None for name in truth["side"]])
    assert scores["side"] == pytest.approx((found["side"].to_numpy() == truth["side"])[known].mean())
    there = ~np.isnan(truth["weight"])
    error = (truth["weight"] - found["weight"].to_numpy())[there]
    assert scores["weight"] == pytest.approx(1 - error.var() / truth["weight"][there].var(), abs=0.02)
    assert min(scores.values()) > 0.8
    assert method.score(other, truth) == pytest.approx(np.mean(list(scores.values())))
    method.save(tmp_path / "run")
    again = replearn.load(tmp_path / "run")
    assert again.predict(other).equals(found)
    assert again.scores(other, truth) == scores
    assert again.samples_.targets == method.samples_.targets


def test_scores_of_some_targets_and_of_strange_ones():
    x = rows()
    method = MultiTask(encoder="linear", epochs=1, batch_size=32, device="cpu").fit(x, columns(x))
    some = method.scores(x, {"side": ["up"] * 95 + ["sideways"], "more": [1] * 96})
    assert list(some) == ["side"]
    assert some["side"] <= 95 / 96
    whole = method.scores(x, {"weight": np.where(np.arange(96) % 2, 40, 47)})  # which are no classes here
    assert list(whole) == ["weight"]
    assert math.isnan(method.scores(x, {"weight": [3.5] * 96})["weight"])
    with pytest.raises(ValueError, match="one of the targets of fit, side, quarter, weight; got none"):
        method.scores(x, {"more": [1] * 96})
    with pytest.raises(ValueError, match="must be classes as in fit; 'quarter' holds numbers"):
        method.scores(x, {"quarter": [0.5] * 96})


def test_tasks_and_numbers_are_chosen_by_name():
    x = rows()
    method, samples = made(tasks=("weight", "quarter"), numbers=("quarter",))
    assert samples.targets.names == ("weight", "quarter")
    assert samples.targets.classes == (None, None)
    assert method.heads_.out_features == 2
    for given, says in (
        ({"tasks": ("wait",)}, "must be one of 'side', 'quarter', 'weight'; got 'wait'"),
        ({"tasks": "side"}, "tasks must be names of targets; got 'side'. Put it in brackets"),
        ({"numbers": ("side",)}, "must hold numbers; 'side' holds 'down'"),
        ({"tasks": ("side", "side")}, "each once"),
        ({"weighting": "even"}, "weighting must be one of uniform, uncertainty, pcgrad, .*; got 'even'"),
        ({"weighting": "pcgrad", "accumulate": 2}, "accumulate must be left out for MultiTask, since pcgrad"),
    ):
        with pytest.raises(ValueError, match=says) as error:
            MultiTask(device="cpu").set_params(**given).prepare(x, columns(x))
        assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ([1] * 96, "at least two classes; 'c' holds 1"),
        ([0.5] * 96, "at least two numbers that differ; 'c' holds 1"),
        ([1e200, -1e200] * 48, "squares are finite and not 0; 'c' is too large"),
    ],
)
def test_targets_of_which_nothing_can_be_learned_are_refused(column, says):
    with pytest.raises(ValueError, match=says) as error:
        MultiTask(device="cpu").prepare(rows(), {"c": column, "d": [0, 1] * 48})
    assert len(str(error.value).splitlines()) == 1


def test_factors_need_no_y_and_samples_are_seen_as_they_are():
    samples = replearn.load_data("shapes", split="train").subset(np.arange(0, 15_000, 100))
    method = MultiTask(encoder="cnn", batch_size=50, epochs=1, device="cpu").prepare(samples)
    assert [target.name for target in method.samples_.targets] == ["shape", "scale", "rotation", "x", "y"]
    batch = samples[np.arange(4)]
    assert torch.equal(method.views_(batch)[0].floats().x, batch.floats().x)
    assert method.set_params(views="photo").prepare(samples).views_(batch)[0].x.shape == batch.x.shape
    assert not torch.equal(method.views_(batch)[0].floats().x, batch.floats().x)
    MultiTask(encoder="cnn", views=Pair(Crop(0.5, 1)), device="cpu").prepare(samples)


def test_a_run_is_resumed_with_the_same_targets_only(tmp_path):
    x = rows()
    fields = {"encoder": "linear", "batch_size": 32, "device": "cpu", "tasks": ("side", "weight")}
    MultiTask(**fields, epochs=1).fit(x, columns(x), run=tmp_path / "run")
    MultiTask(**fields, epochs=2).fit(x, columns(x), run=tmp_path / "run", resume=True)
    other = columns(x) | {"weight": columns(x)["weight"] + 1}
    with pytest.raises(ValueError, match="resumed with the targets it began with; these differ"):
        MultiTask(**fields, epochs=3).fit(x, other, run=tmp_path / "run", resume=True)
