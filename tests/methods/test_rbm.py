"""Boltzmann machines as methods: what they learn, make up, hold for likely, and how they fail."""

import re
from dataclasses import fields

import numpy as np
import pytest
import torch

import replearn
from replearn.engine.health import NotFinite
from replearn.evaluate import exact_log_partition, few_label_curve, log_partition
from replearn.methods.reconstruction import rbm as rbm_file
from replearn.methods.reconstruction.boltzmann import energy

QUICK = {"epochs": 10, "batch_size": 50, "device": "cpu", "precision": "32-true"}


@pytest.fixture(scope="module")
def digits():
    """Digits of 14 pixels."""

    def little(split, n):
        part = replearn.load_data("digits", split=split).subset(np.arange(n))
        return replearn.as_samples(
            np.ascontiguousarray(part[np.arange(n)].x.numpy()[:, :, ::2, ::2]), part.labels
        )

    return little("train", 2000), little("test", 1000)


@pytest.fixture(scope="module")
def fitted(digits):
    return replearn.RBM(**QUICK, dim=128).fit(digits[0])


@pytest.fixture(scope="module")
def deep(digits):
    return replearn.DeepBelief(**QUICK, hidden=128, dim=64).fit(digits[0])


def error(method, samples):
    """Squared distance to what comes back, over the total variance."""
    x = samples.flat()
    back = method.inverse_transform(method.transform(samples)).reshape(x.shape)
    return np.square(x - back).sum() / np.square(x - x.mean(0)).sum()


def by_few(train, test, digits):
    """Accuracy of a linear probe by 3 % of the labels."""
    parts = train, digits[0].labels, test, digits[1].labels
    return float(few_label_curve(*parts, fractions=(0.03,), draws=5)["mean"].iloc[0])


@pytest.mark.all
def test_few_labels_tell_more_of_its_code_than_of_pixels(fitted, digits):
    train, test = digits
    untrained = replearn.RBM(**fitted.get_params()).prepare(train)
    learned = by_few(fitted.transform(train), fitted.transform(test), digits)
    assert learned > by_few(train.flat(), test.flat(), digits)
    assert learned > by_few(untrained.transform(train), untrained.transform(test), digits) + 0.02
    assert fitted.history_.alarms == []


@pytest.mark.all
@pytest.mark.parametrize("name", ["fitted", "deep"])
def test_samples_come_back_from_their_codes(name, digits, request):
    method = request.getfixturevalue(name)
    untrained = type(method)(**method.get_params()).prepare(digits[0])
    assert error(method, digits[1]) < 0.65
    assert error(method, digits[1]) < 0.5 * error(untrained, digits[1])


@pytest.mark.parametrize("name", ["fitted", "deep"])
def test_made_up_samples_are_like_the_data(name, digits, request):
    method = request.getfixturevalue(name)
    made = method.sample(500, steps=200)
    x = digits[0][np.arange(2000)].x.numpy() / 255
    assert made.shape == (500, 1, 14, 14)
    assert np.abs(made.mean(0) - x.mean(0)).mean() < 0.045
    assert made.std(0).mean() > 0.5 * x.std(0).mean()
    assert np.array_equal(made, method.sample(500, steps=200))
    assert not np.array_equal(made, method.sample(500, steps=200, random_state=1))


def test_samples_it_learned_from_are_likelier_than_by_their_rates(fitted, digits):
    train, test = digits
    p = train.flat().mean(0).clip(0.01, 0.99)
    x = test.flat()
    alone = (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(1).mean()
    found = fitted.log_likelihood(test, chains=50, temperatures=300)
    assert found.shape == (1000,)
    assert found.mean() > alone + 5
    noise = np.random.default_rng(0).integers(0, 256, (50, 1, 14, 14)).astype(np.uint8)
    assert fitted.log_likelihood(noise, chains=50, temperatures=300).mean() < found.mean() - 50


def test_likelihood_is_that_of_the_exact_partition_function():
    binary = (replearn.load_data("digits8x8", split="train").flat() > 0.5).astype(np.float32)
    method = replearn.RBM(**QUICK, dim=10).fit(binary)
    (layer,) = method.machines
    parts = [p.detach().double().numpy() for p in (layer.weight, layer.visible_bias, layer.hidden_bias)]
    exact = exact_log_partition(*parts)
    with torch.inference_mode():
        free = energy(layer, torch.from_numpy(binary)).double().numpy()
    np.testing.assert_allclose(method.log_likelihood(binary), -free - exact, atol=0.15)
    found = log_partition(*parts, rates=binary.mean(0))
    assert found.low < exact < found.high


def test_contrastive_divergence_starts_at_the_batch(digits):
    method = replearn.RBM(**QUICK, dim=64, persistent=False).fit(digits[0])
    assert error(method, digits[1]) < 0.5
    chain = replearn.RBM(**QUICK, dim=64, persistent=False).prepare(digits[0]).machines[0].chain
    assert torch.equal(method.machines[0].chain, chain)


@pytest.mark.parametrize("persistent", [True, False])
def test_halves_of_a_batch_compute_what_the_whole_computes(persistent, digits):
    def loss(start, stop):
        method = replearn.RBM(dim=8, persistent=persistent, device="cpu").prepare(digits[0])
        torch.manual_seed(3)
        return method.loss(digits[0][np.arange(20)].rows(start, stop)).item()

    assert np.mean([loss(0, 10), loss(10, 20)]) == pytest.approx(loss(0, 20), rel=1e-4, abs=1e-3)


def test_layers_learn_from_the_bottom_up(digits):
    method = replearn.DeepBelief(hidden=16, dim=8, depth=3, device="cpu", batch_size=20).prepare(digits[0])

    def learning():
        method.loss(digits[0][np.arange(20)]).backward()
        norms = [float(layer.weight.grad.norm()) for layer in method.machines]
        for layer in method.machines:
            layer.zero_grad()
        return [norm > 0 for norm in norms]

    assert learning() == [True, False, False]
    method.after_step(0.3)
    assert learning() == [True, False, False]
    method.after_step(0.34)
    assert learning() == [True, True, False]
    method.after_step(1.0)
    assert learning() == [True, True, True]


def test_a_layer_hears_nothing_of_those_above(digits):
    losses = {}
    for depth in (2, 3):
        method = replearn.DeepBelief(hidden=16, dim=16, depth=depth, device="cpu").prepare(digits[0])
        method.after_step(1.0)
        torch.manual_seed(0)
        method.loss(digits[0][np.arange(20)]).backward()
        losses[depth] = method.machines[0].weight.grad
    torch.testing.assert_close(losses[2], losses[3])


def test_filters_are_images_and_of_a_deep_one_products(deep, fitted):
    assert fitted.filters().shape == (128, 1, 14, 14)
    first, second = (layer.weight.detach() for layer in deep.machines)
    np.testing.assert_allclose(deep.filters().reshape(64, -1), (second @ first).numpy(), atol=1e-5)


def test_a_table_of_any_scale_comes_back_on_its_own():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 2, 400)
    x = rng.normal(group[:, None] * [10.0, -4.0, 2.0] + [100.0, 0.0, -5.0], [2.0, 1.0, 0.5]).astype(
        np.float32
    )
    method = replearn.RBM(**QUICK | {"epochs": 30}, dim=16).fit(x)
    back = method.inverse_transform(method.transform(x))
    for column in range(3):
        assert np.corrcoef(x[:, column], back[:, column])[0, 1] > 0.7
        assert back[:, column].mean() == pytest.approx(
            x[:, column].mean(), abs=0.3 * float(x[:, column].std())
        )


@pytest.mark.parametrize("name", ["RBM", "DeepBelief"])
def test_a_learning_rate_a_hundred_times_too_large_is_noticed(name, digits):
    cls = getattr(replearn, name)
    method = cls(learning_rate=100 * cls().learning_rate, epochs=3, batch_size=50, device="cpu")
    try:
        method.fit(digits[0])
        alarms = [str(alarm) for alarm in method.history_.alarms]
    except NotFinite as trouble:
        alarms = [str(trouble)]
    assert any(re.search("learning rate of .* is too large|learning rate was", alarm) for alarm in alarms)


def test_without_the_model_s_states_it_does_not_learn(digits, fitted, monkeypatch):
    def of_data_alone(visible, inputs, model_visible, model_inputs):
        return visible.sum(1).neg().mean() - torch.nn.functional.softplus(inputs).sum(1).mean()

    monkeypatch.setattr("replearn.methods.reconstruction.boltzmann.contrastive_divergence", of_data_alone)
    assert rbm_file.RBM is replearn.RBM
    broken = replearn.RBM(**QUICK, dim=128).fit(digits[0])
    assert error(broken, digits[1]) > 2 * error(fitted, digits[1])


def test_it_has_no_encoder_to_choose():
    assert "encoder" not in {field.name for field in fields(replearn.RBM)}
    with pytest.raises(TypeError, match="encoder"):
        replearn.RBM(encoder="cnn")


@pytest.mark.parametrize(
    ("cls", "given", "says"),
    [
        ("RBM", {"dim": 0}, "dim must be at least 1; got 0"),
        ("RBM", {"gibbs_steps": 0}, "gibbs_steps must be at least 1"),
        ("DeepBelief", {"chains": 0}, "chains must be at least 1"),
        ("DeepBelief", {"depth": 1}, "One layer is an RBM"),
    ],
)
def test_bad_fields_are_told_in_one_line(cls, given, says, digits):
    with pytest.raises(ValueError, match=says) as error:
        getattr(replearn, cls)(**given).fit(digits[0])
    assert len(str(error.value).splitlines()) == 1
