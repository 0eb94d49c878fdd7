"""What of an encoder learns, how fast, from where it starts, and when it ends."""

import pytest
import torch
from made_up import frozen, model, tags, texts

from replearn.engine.optimizers import make_optimizer
from replearn.methods import SimCLR, find_method
from replearn.transfer import FineTune
from replearn.transfer.layer_groups import levels_of


def changed(before, after) -> set[int]:
    """The levels whose weights differ."""
    levels = levels_of(after)
    old = dict(before.named_parameters())
    return {levels.of(name) for name, value in after.named_parameters() if not torch.equal(old[name], value)}


def start(**fields):
    """The encoder as it begins."""
    return model(**fields).prepare(*texts(80)).encoder_


def test_a_frozen_encoder_stays_bit_by_bit():
    found = frozen(epochs=2).fit(*texts(80))
    before = start(epochs=2).state_dict()
    assert all(torch.equal(before[name], value) for name, value in found.encoder_.state_dict().items())


def test_of_a_partly_trained_one_the_last_layers_change_alone():
    found = model(trained=1, epochs=1).fit(*texts(80))
    assert changed(start(), found.encoder_) == {2}
    assert changed(start(), model(epochs=1).fit(*texts(80)).encoder_) == {0, 1, 2}


def test_batch_statistics_of_frozen_layers_stay():
    rows = torch.rand(64, 1, 8, 8)
    found = FineTune(encoder="cnn", trained=1, epochs=1).fit(rows, [0, 1] * 32)
    first, last = found.encoder_.body.stages[0][1], found.encoder_.body.stages[2][1]
    assert int(first.num_batches_tracked) == 0
    assert int(last.num_batches_tracked) > 0


def test_fresh_layers_begin_anew_and_others_do_not():
    given = start()
    renewed = model(encoder=given, fresh_layers=1).prepare(*texts(80)).encoder_
    assert changed(given, renewed) == {2}
    deviation = float(renewed.body.net.net.encoder.layer[1].intermediate.dense.weight.detach().std())
    assert deviation == pytest.approx(0.02, rel=0.05)
    assert all(torch.equal(a, b) for a, b in zip(given.parameters(), start().parameters(), strict=True))


def test_layer_decay_gives_each_layer_its_rate():
    found = model(encoder_rate=0.5, layer_decay=0.1, epochs=1).fit(*texts(80))
    made = make_optimizer("adamw", found.modules(), learning_rate=1.0, weight_decay=0.0, rates=found.rates())
    scale = {id(p): group["scale"] for group in made.param_groups for p in group["params"]}
    net = found.encoder_.body.net.net
    wanted = {
        net.embeddings.word_embeddings.weight: 0.005,
        net.encoder.layer[0].output.dense.bias: 0.05,
        net.encoder.layer[1].output.dense.weight: 0.5,
        found.head_.linear.weight: 1.0,
    }
    for parameter, rate in wanted.items():
        assert scale[id(parameter)] == pytest.approx(rate)


@pytest.mark.parametrize(
    ("name", "number", "last"),
    [("resnet18", 6, "body.net.layer4"), ("vit_tiny_patch16_224", 12, "body.net.blocks.11")],
)
def test_layers_of_networks_of_timm(name, number, last):
    digits = FineTune(encoder=name).prepare(torch.rand(16, 1, 28, 28), [0, 1] * 8)
    assert (len(digits.levels_), digits.levels_.layers[-1]) == (number, last)
    after = [name for name, _ in digits.encoder_.named_parameters() if digits.levels_.of(name) == 0]
    assert not any("blocks" in name or "layer" in name for name in after)


def test_training_ends_when_no_epoch_is_better():
    found = frozen(validation=0.25, patience=2, epochs=40, learning_rate=0.01).fit(*texts(120))
    assert found.validation_score_ > 0.9
    epochs = found.history_.rows[-1]["step"] / (90 // 16)
    assert 3 <= epochs < 40
    assert epochs == int(epochs)
    assert epochs - 2 <= found.best_epoch_ <= epochs  # of equal scores, the smallest loss
    whole = frozen(epochs=3, learning_rate=0.01).fit(*texts(96))
    assert whole.history_.rows[-1]["step"] == 3 * (96 // 16)


def test_the_weights_of_the_best_epoch_are_put_back(monkeypatch):
    from replearn.transfer.early_stopping import BestKeeper

    scores = iter([0.5, 0.9, 0.7, 0.6])
    seen = []
    see = BestKeeper.see

    def watched(keeper, score, loss):
        seen.append(keeper._kept["head_"].linear.weight.detach().clone())
        see(keeper, next(scores), loss)

    monkeypatch.setattr(BestKeeper, "see", watched)
    found = model(validation=0.25, patience=2, epochs=9).fit(*texts(80))
    assert (found.best_epoch_, len(seen)) == (2, 4)
    assert found.validation_score_ == pytest.approx(0.9)
    assert torch.equal(found.head_.linear.weight, seen[1])
    assert not torch.equal(found.head_.linear.weight, seen[3])


def test_a_resumed_training_ends_as_an_unbroken_one(tmp_path, monkeypatch):
    X, y = texts(80)
    fields = {"validation": 0.25, "patience": 9, "epochs": 3, "trained": 1, "checkpoint_minutes": 0.0}
    whole = model(**fields).fit(X, y)
    step, steps = FineTune.after_step, []

    def stop_in_the_middle(self, progress):
        step(self, progress)
        steps.append(progress)
        if len(steps) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(FineTune, "after_step", stop_in_the_middle)
    with pytest.raises(KeyboardInterrupt):
        model(**fields).fit(X, y, run=tmp_path / "run")
    monkeypatch.undo()
    resumed = model(**fields).fit(X, y, run=tmp_path / "run", resume=True)
    for name, module in whole.modules().items():
        for key, value in module.state_dict().items():
            assert torch.equal(value, resumed.modules()[name].state_dict()[key]), (name, key)
    with pytest.raises(ValueError, match="resumed on the samples it began with"):
        model(**fields).fit(X, y[::-1], run=tmp_path / "run", resume=True)


def test_it_starts_from_a_run_or_a_fitted_method_and_leaves_it_alone(tmp_path):
    rows = torch.rand(64, 1, 8, 8)
    method = SimCLR(encoder="cnn", epochs=1, batch_size=32).fit(rows, run=tmp_path / "simclr")
    before = {name: value.clone() for name, value in method.encoder_.state_dict().items()}
    labels = [0, 1] * 32
    a = FineTune(encoder=method, epochs=1).fit(rows, labels, run=tmp_path / "a")
    b = FineTune(encoder=str(tmp_path / "simclr"), epochs=1).fit(rows, labels)
    assert (a.predict_proba(rows) == b.predict_proba(rows)).all()
    assert all(torch.equal(before[name], value) for name, value in method.encoder_.state_dict().items())
    again = FineTune.load(tmp_path / "a")  # the method itself is not needed
    assert (again.predict_proba(rows) == a.predict_proba(rows)).all()


def test_texts_are_read_by_the_tokenizer_of_the_method(tmp_path):
    gpt = find_method("gpt").cls(encoder="gpt_tiny", epochs=1, batch_size=4, window=8, vocabulary=300)
    gpt.fit(texts(80)[0], run=tmp_path / "gpt")
    found = frozen(encoder=str(tmp_path / "gpt"), task="tag").fit(*tags(80))
    found.save(tmp_path / "tags")
    (tmp_path / "gpt").rename(tmp_path / "elsewhere")
    again = FineTune.load(tmp_path / "tags")
    assert again.encoder_.vocabulary.tokenizer.json == gpt.encoder_.vocabulary.tokenizer.json
    X, _ = tags(40, seed=1)
    assert again.predict(X) == found.predict(X)


def test_one_task_after_another(tmp_path):
    X, y = texts(48)
    first = model(pooling="first", epochs=1).fit(X, y, run=tmp_path / "first")
    fields = {"task": "tag", "length": None, "epochs": 1}
    second = frozen(encoder=str(tmp_path / "first"), **fields).fit(*tags(48))
    assert torch.equal(next(first.encoder_.parameters()), next(second.encoder_.parameters()))
    assert (second.encoder_.body.pooling, second.encoder_.length) == ("first", 16)
    second.save(tmp_path / "second")
    again = FineTune.load(tmp_path / "second")
    assert (again.encoder_.body.pooling, again.encoder_.length) == ("first", 16)
    assert again.predict(tags(8)[0]) == second.predict(tags(8)[0])


def test_a_module_is_copied():
    samples = torch.rand(32, 3, 8, 8)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Conv2d(4, 4, 3))
    before = [p.clone() for p in net.parameters()]
    found = FineTune(encoder=net, epochs=1).fit(samples, ["a", "b"] * 16)
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    assert found.encoder_.body is not net


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_one_learning_rate_suits_features_of_any_size(size):
    rows, labels = torch.randn(64, 8) * size + 5 * size, [0, 1] * 32
    net = torch.nn.Sequential(torch.nn.Linear(8, 8))
    net[0].weight.data, net[0].bias.data = torch.eye(8), torch.zeros(8)
    found = FineTune(encoder=net, trained="frozen", epochs=1, precision="32-true").fit(rows, labels)
    h = torch.from_numpy(found.transform(rows))
    assert h.mean(0).abs().max() < 1e-4
    assert float(h.square().mean()) == pytest.approx(1.0, abs=1e-3)
