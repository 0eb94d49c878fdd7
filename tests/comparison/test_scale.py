"""`scale`: one thing grows and the rest stays, as many steps for fewer samples, and a kill loses nothing."""

import dataclasses

import numpy as np
import pytest

from made_methods import few_images
from replearn import as_samples
from replearn.comparison import scale as module
from replearn.comparison.scale import Axis, Measured, scale
from replearn.comparison.settings import AXES, network_of, planned, with_views
from replearn.evaluate import power_law
from replearn.methods import MAE, Autoencoder, SimCLR
from replearn.methods.classical import PCA


def table(n=240):
    draw = np.random.default_rng(0)
    labels = np.arange(n) % 3
    x = draw.normal(size=(n, 6)).astype(np.float32)
    x[:, 0] += 2 * labels
    return as_samples(x, labels)


SMALL = {"batch_size": 16, "device": "cpu", "epochs": 2}


def test_fewer_samples_learn_for_as_many_steps():
    base, plan = planned(SimCLR(**SMALL), table(), ["samples"])
    assert (base.samples, base.epochs) == (240, 2)
    steps = {
        setting.samples: setting.epochs * max(1, setting.samples // 16) for _, setting in plan["samples"]
    }
    assert len(steps) == 5
    assert all(abs(number - 30) <= max(1, samples // 16) for samples, number in steps.items()), steps


def test_each_axis_leaves_the_rest_and_holds_what_was_asked_for():
    samples = few_images()
    base, plan = planned(SimCLR(encoder="resnet_tiny", epochs=8), samples, ["epochs", "width", "depth"])
    for name, axis in plan.items():
        assert base in [setting for _, setting in axis], name
        assert [value for value, _ in axis] == sorted({value for value, _ in axis})
        changed = "encoder" if name in ("width", "depth") else name
        for _, setting in axis:
            assert dataclasses.replace(setting, **{changed: getattr(base, changed)}) == base
    assert [setting.encoder for _, setting in plan["width"]] == [
        "resnet_tiny:width=8",
        "resnet_tiny:width=16",
        "resnet_tiny",
        "resnet_tiny:width=64",
    ]
    _, plan = planned(MAE(encoder="vit:width=64"), samples, ["depth"])
    assert [setting.encoder for _, setting in plan["depth"]][1:3] == ["vit:width=64", "vit:width=64:depth=8"]


def test_the_network_that_auto_means_is_said():
    samples = few_images()
    for method in (SimCLR(), Autoencoder()):
        name = network_of(method, samples)
        assert name == {"SimCLR": "resnet_small", "Autoencoder": "mlp"}[type(method).__name__]
        own = type(method)(**SMALL, encoder=name).prepare(samples).encoder_
        assert str(own) == str(type(method)(**SMALL).prepare(samples).encoder_)


def test_smaller_sets_are_seen_as_the_whole_is():
    samples = few_images()
    assert with_views(SimCLR(), samples).views in ("photo", "grey", "directed", "drawing")
    assert with_views(SimCLR(views="grey"), samples).views == "grey"
    assert with_views(PCA(), samples).get_params() == PCA().get_params()


def test_what_is_measured_becomes_laws(tmp_path):
    told = []
    train, test = table(), table(90)
    method = SimCLR(**SMALL, encoder="mlp")
    given = {"by": ["samples"], "values": ("60", "120"), "seeds": (0, 1)}
    found = scale(method, train, test, **given, folder=tmp_path, on_row=told.append)
    (axis,) = found.axes
    assert sorted({*axis.x}) == [60, 120, 240]
    assert len(axis.rows) == len(told) == 6
    assert axis.base == 240
    assert axis.law is not None
    assert found.before.keys() == {"raw input", "untrained encoder"}
    assert found.tested == 90
    assert all(0 <= row.error <= 1 and row.parameters > 0 for row in told)
    # the probe has all labels: the row of all samples is that of `compare`
    from replearn.comparison import fit_and_represent
    from replearn.evaluate import knn_probe

    whole = fit_and_represent("whole", method.set_params(random_state=1), train, test)
    mine = next(row for row in told if row.samples == 240 and row.seed == 1)
    assert mine.knn_error == pytest.approx(1 - knn_probe(whole.train, train.labels, whole.test, test.labels))


@pytest.mark.all
def test_a_call_that_was_killed_goes_on(tmp_path, monkeypatch):
    fitted, fit = [], SimCLR.fit

    def killed(self, samples, **knobs):
        fitted.append(len(samples))
        if len(fitted) == 2:
            raise KeyboardInterrupt
        return fit(self, samples, **knobs)

    given = {"by": ["samples"], "values": ("60", "120"), "folder": tmp_path}
    method = SimCLR(**SMALL, encoder="mlp")
    monkeypatch.setattr(SimCLR, "fit", killed)
    with pytest.raises(KeyboardInterrupt):
        scale(method, table(), table(90), **given)
    found = scale(method, table(), table(90), **given)
    assert fitted == [240, 60, 60, 120]
    again = scale(method, table(), table(90), **given)
    assert len(fitted) == 4
    assert [row for axis in again.axes for row in axis.rows] == [
        row for axis in found.axes for row in axis.rows
    ]
    with pytest.raises(ValueError, match=r"goes on with what it began with.*other method"):
        scale(SimCLR(**SMALL, encoder="mlp", temperature=0.3), table(), table(90), **given)


def test_methods_without_epochs_grow_by_samples(tmp_path):
    found = scale(
        PCA(n_components=2), table(), table(90), by=["samples"], values=("30", "60"), folder=tmp_path
    )
    assert [row.epochs for row in found.axes[0].rows] == [0, 0, 0]
    assert found.before.keys() == {"raw input"}


@pytest.mark.parametrize(
    ("method", "by", "values", "told"),
    [
        (PCA(), ["epochs"], (), "PCA does not learn in epochs"),
        (PCA(), ["width"], (), "PCA has none"),
        (SimCLR(encoder="mlp"), ["depth"], (), "mlp has no depth to set"),
        (SimCLR(encoder="mlp"), ["samples", "epochs"], ("3",), "values belong to one axis"),
        (SimCLR(encoder="mlp"), ["samples"], ("241",), "from 1 to 240; got 241"),
        (SimCLR(encoder="mlp"), ["samples"], ("many",), "whole numbers"),
        (SimCLR(encoder="mlp", epochs=1), ["epochs"], (), "needs at least 3 values; epochs would have 1"),
        (SimCLR(encoder="mlp"), ["encoder"], ("mlp", "linear"), "at least 3 encoders"),
        (SimCLR(encoder="mlp"), ["height"], (), "must be of samples"),
        (SimCLR(encoder="mlp"), ["width"], ("64", "100"), "a multiple of 8; got 100"),
        (SimCLR(encoder="mlp"), ["encoder"], ("linear", "lineer"), "Nearest: linear"),
    ],
)
def test_what_can_not_grow_is_told(method, by, values, told, tmp_path):
    with pytest.raises(ValueError, match=told):
        scale(method, table(), table(90), by=by, values=values, folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_encoders_are_compared_by_their_parameters(tmp_path):
    method = SimCLR(**SMALL, encoder="mlp")
    found = scale(
        method, table(), table(90), by=["encoder"], values=("linear", "mlp:width=64"), folder=tmp_path
    )
    (axis,) = found.axes
    assert [row.encoder for row in axis.rows] == [
        "linear",
        "mlp:width=64",
        "mlp",
    ]  # the one that was asked for, too
    assert axis.x == [float(row.parameters) for row in axis.rows]
    assert axis.base == axis.x[2]


def test_smaller_sets_learn_by_the_views_of_all(tmp_path, monkeypatch):
    """And from no other samples than theirs."""
    seen, fit = [], SimCLR.fit

    def told(self, samples, **knobs):
        seen.append((len(samples), self.views))
        return fit(self, samples, **knobs)

    monkeypatch.setattr(SimCLR, "fit", told)
    few = few_images()
    method = SimCLR(encoder="cnn", hidden=8, dim=4, epochs=1, batch_size=16, device="cpu")
    scale(method, few, few.subset(np.arange(40)), by=["samples"], values=("20", "50"), folder=tmp_path)
    assert [number for number, _ in seen] == [96, 20, 50]
    assert {views for _, views in seen} == {"drawing"}


def test_labels_are_needed(tmp_path):
    bare = as_samples(table().flat())
    with pytest.raises(ValueError, match="at least two classes; the training samples have none"):
        scale(SimCLR(encoder="mlp"), bare, table(90), by=["samples"], folder=tmp_path)


def test_what_minutes_buy():
    """Seconds that grow with the square of the width, and an error that halves when it is doubled."""
    x = np.array([8.0, 16, 32, 64])
    rows = [Measured(100, 1, "", 0, float(e), 0.0, 1, float(s)) for e, s in zip(3.2 / x, x**2, strict=True)]
    axis = Axis("width", x.tolist(), rows, power_law(x, 3.2 / x), 32.0)
    twice = axis.doubled()
    assert twice is not None
    assert (twice.error, twice.cost) == pytest.approx((0.05, 4.0))
    where, law = axis.within(128**2 / 60)
    assert (where, law.error) == pytest.approx((128.0, 0.025))
    assert axis.within(1e9)[0] == module.BEYOND * 64
    assert axis.within(1e-9 / 60)[0] < 8  # less than was asked for
    level = Axis("width", x.tolist(), rows, power_law(x, np.array([0.2, 0.19, 0.21, 0.2])), 32.0)
    assert level.doubled() is None
    assert level.within(5) is None
    assert {"samples", "epochs", "width", "depth", "encoder"} == {*AXES}
