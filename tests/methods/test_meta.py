"""ProtoNet, MAML, ANIL, Reptile: the papers' equations as loops in float64, and what makes each what it is."""

import copy
import logging

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import replearn
from replearn.engine.slices import in_slices
from replearn.engine.step import Step
from replearn.evaluate import episodes
from replearn.methods import ANIL, MAML, ProtoNet, Reptile
from replearn.views import Pair, Same

WAY, SHOTS, QUERIES = 3, 2, 4


def table(classes=6, each=12, d=7, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(classes).repeat(each)
    rows = rng.normal(size=(classes, d))[labels] + rng.normal(size=(len(labels), d))
    return replearn.as_samples(rows.astype(np.float32), labels)


def prepared(cls, tasks=2, **given):
    """A method in float64, and a batch of two episodes for it."""
    torch.manual_seed(0)
    settings = {
        "encoder": nn.Sequential(nn.Linear(7, 5), nn.Tanh()),
        "views": Pair(Same(), Same()),
        "way": WAY,
    }
    settings |= {"shots": SHOTS, "device": "cpu"} | ({} if cls is Reptile else {"queries": QUERIES})
    method = cls(**settings | given)
    method.set_params(batch_size=tasks * WAY * method.each)
    samples = table()
    method.prepare(samples)
    step = Step(method).double().train()
    batch = samples[method.order(samples)(0)[: method.batch_size]]
    return method, batch.with_x(batch.x.double()), step


def gradients(method, batch):
    method.loss(batch).backward()
    return {
        f"{a}.{b}": p.grad.clone()
        for a, module in method.modules().items()
        for b, p in module.named_parameters()
    }


def episodes_of(batch, each):
    """Each episode as x `(each, way, d)`, with a check that classes come in turn."""
    for x, labels in zip(batch.x.view(-1, each, WAY, 7), batch.labels.view(-1, each, WAY), strict=True):
        assert (labels == labels[0]).all()
        yield x


def networks(method):
    """The method's network as a function of a list of weights, written out."""
    mean, std = method.encoder_.mean, method.encoder_.std
    weights = [p.detach().clone() for p in (*method.encoder_.parameters(), *method.head_.parameters())]

    def logits(x, w):
        return torch.tanh((x - mean) / std @ w[0].T + w[1]) @ w[2].T + w[3]

    return logits, weights


def adapted_loss(method, batch, weights, logits, adapts):
    """MAML's meta-objective (equation 1) as a loop: the queries' loss at weights that have moved on the shots."""
    losses = []
    for x in episodes_of(batch, SHOTS + QUERIES):
        theta = [w.clone().requires_grad_() for w in weights]
        for _ in range(method.inner_steps):
            loss = 0.0
            for shot in range(SHOTS):
                for place in range(WAY):
                    loss = loss - logits(x[shot, place], theta).log_softmax(0)[place] / (SHOTS * WAY)
            slope = torch.autograd.grad(loss, theta)
            theta = [
                (w - method.inner_rate * g * (i in adapts)).detach().requires_grad_()
                for i, (w, g) in enumerate(zip(theta, slope, strict=True))
            ]
        for query in range(QUERIES):
            for place in range(WAY):
                told = -logits(x[SHOTS + query, place], theta).log_softmax(0)[place]
                losses.append(float(told.detach()))
    return float(np.mean(losses))


NAMES = ["encoder_.body.0.weight", "encoder_.body.0.bias", "head_.weight", "head_.bias"]


def named(found):
    """Gradients in the order of `networks`' weights."""
    by_end = {
        name: next(
            v
            for key, v in found.items()
            if key.endswith(name.split("_.")[1].replace("body.", "")) and key.startswith(name.split(".")[0])
        )
        for name in NAMES
    }
    return list(by_end.values())


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("cls", [MAML, ANIL])
def test_loss_and_gradient_are_those_of_the_meta_objective(cls, steps):
    """The gradient against central differences of the loop, in which the steps on the shots are made anew."""
    method, batch, _ = prepared(cls, inner_steps=steps, inner_rate=0.5)
    logits, weights = networks(method)
    adapts = (2, 3) if cls is ANIL else (0, 1, 2, 3)
    assert float(method.loss(batch).detach()) == pytest.approx(
        adapted_loss(method, batch, weights, logits, adapts), rel=1e-12
    )
    found = named(gradients(method, batch))
    for i, j in ((0, 3), (1, 2), (2, 4), (3, 1)):
        values = []
        for sign in (1, -1):
            moved = [w.clone() for w in weights]
            moved[i].view(-1)[j] += sign * 1e-5
            values.append(adapted_loss(method, batch, moved, logits, adapts))
        assert float(found[i].reshape(-1)[j]) == pytest.approx(
            (values[0] - values[1]) / 2e-5, rel=1e-5, abs=1e-9
        )


@pytest.mark.parametrize("cls", [MAML, ANIL])
def test_first_order_is_the_gradient_at_the_weights_of_the_task(cls):
    second, batch, _ = prepared(cls, inner_rate=0.5)
    first, _, _ = prepared(cls, inner_rate=0.5, first_order=True)
    assert float(first.loss(batch).detach()) == pytest.approx(float(second.loss(batch).detach()), rel=1e-12)
    one, two = gradients(first, batch), gradients(second, batch)
    assert any((one[name] - two[name]).abs().max() > 1e-3 for name in one)
    logits, weights = networks(first)
    expected = [torch.zeros_like(w) for w in weights]
    for x in episodes_of(batch, SHOTS + QUERIES):
        theta = [w.clone().requires_grad_() for w in weights]
        places = torch.arange(WAY)
        for _ in range(first.inner_steps):
            told = F.cross_entropy(logits(x[:SHOTS].reshape(-1, 7), theta), places.repeat(SHOTS))
            slope = torch.autograd.grad(told, theta)
            theta = [
                (w - 0.5 * g * (cls is MAML or i > 1)).detach().requires_grad_()
                for i, (w, g) in enumerate(zip(theta, slope, strict=True))
            ]
        asked = F.cross_entropy(logits(x[SHOTS:].reshape(-1, 7), theta), places.repeat(QUERIES))
        for total, g in zip(expected, torch.autograd.grad(asked, theta), strict=True):
            total.add_(g / 2)
    for a, b in zip(named(one), expected, strict=True):
        if cls is ANIL and a.shape[0] == 5:
            continue  # through the head of the task the encoder has a part in it, which this loop leaves out
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


def test_a_step_on_a_task_changes_the_head_alone_in_anil():
    maml, batch, _ = prepared(MAML, inner_rate=0.5)
    anil, _, _ = prepared(ANIL, inner_rate=0.5, inner_steps=1)
    logits, weights = networks(anil)
    whole, head = (adapted_loss(anil, batch, weights, logits, part) for part in ((0, 1, 2, 3), (2, 3)))
    assert float(anil.loss(batch).detach()) == pytest.approx(head, rel=1e-12)
    assert float(maml.loss(batch).detach()) == pytest.approx(whole, rel=1e-12)
    assert abs(whole - head) > 1e-3


def test_reptiles_gradient_is_the_way_to_the_weights_of_the_tasks():
    """Algorithm 2, with torch's own optimiser on copies of the networks."""
    method, batch, _ = prepared(Reptile, shots=6, inner_steps=3, inner_rate=0.3)
    found = gradients(method, batch)
    start = nn.Sequential(method.encoder_, method.head_)
    moves = []
    for x in episodes_of(batch, 6):
        net = copy.deepcopy(start)
        net.zero_grad()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.3)
        for part in (x[0:2], x[2:4], x[4:6]):
            optimizer.zero_grad()
            F.cross_entropy(net(part.reshape(-1, 7)), torch.arange(WAY).repeat(2)).backward()
            optimizer.step()
        moves.append(
            [a.detach() - b.detach() for a, b in zip(start.parameters(), net.parameters(), strict=True)]
        )
    for i, value in enumerate(found.values()):
        torch.testing.assert_close(value, (moves[0][i] + moves[1][i]) / 2, rtol=1e-9, atol=1e-12)
    assert float(method.loss(batch).detach()) == pytest.approx(
        float(np.mean([sum(float(w.square().sum()) for w in move) / 2 for move in moves])), rel=1e-9
    )


def test_each_step_of_reptile_takes_samples_of_its_own():
    with pytest.raises(ValueError, match="inner_steps must be at most shots, 2, for Reptile") as error:
        Reptile(shots=2, inner_steps=3).prepare(table())
    assert len(str(error.value).splitlines()) == 1


def test_prototypes_are_means_and_the_nearest_is_likeliest():
    """Equations 1 and 2 as a loop."""
    method, batch, _ = prepared(ProtoNet)
    losses = []
    for x in episodes_of(batch, SHOTS + QUERIES):
        h = method.encoder_(x.reshape(-1, 7)).detach().reshape(SHOTS + QUERIES, WAY, -1)
        prototypes = [sum(h[shot, place] for shot in range(SHOTS)) / SHOTS for place in range(WAY)]
        for query in range(SHOTS, SHOTS + QUERIES):
            for place in range(WAY):
                near = torch.stack([-((h[query, place] - c) ** 2).sum() for c in prototypes])
                losses.append(float(near.logsumexp(0) - near[place]))
    assert float(method.loss(batch).detach()) == pytest.approx(np.mean(losses), rel=1e-10)


def test_prototypes_have_a_gradient_too():
    method, batch, _ = prepared(ProtoNet)
    x = batch.x.view(2, SHOTS + QUERIES, WAY, 7).clone().requires_grad_()
    method.loss(batch.with_x(x.view(-1, 7))).backward()
    assert (x.grad.abs().sum(3) > 0).all()


def test_protonet_in_slices_has_the_gradient_of_the_whole():
    found = []
    for size in (None, 4):
        method, batch, step = prepared(ProtoNet)
        with in_slices(step, size):
            found.append(gradients(method, batch))
    for name, expected in found[0].items():
        torch.testing.assert_close(found[1][name], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cls", [MAML, ANIL, Reptile])
def test_running_statistics_are_those_of_the_shots_before_they_are_adapted(cls):
    net = nn.Sequential(nn.Linear(7, 5), nn.BatchNorm1d(5))
    given = {"shots": 4, "inner_steps": 2} if cls is Reptile else {"inner_steps": 2}
    method, batch, _ = prepared(cls, encoder=net, **given)
    linear, norm = method.encoder_.body[0], method.encoder_.body[1]
    expected = [torch.zeros(5, dtype=torch.float64), torch.zeros(5, dtype=torch.float64)]
    for x in episodes_of(batch, method.each):
        h = linear((x[:2].reshape(-1, 7) - method.encoder_.mean) / method.encoder_.std).detach()
        expected[0] += 0.1 * h.mean(0) / 2
        expected[1] += (0.9 + 0.1 * h.var(0)) / 2
    method.loss(batch)
    assert (norm.running_mean == 0).all()
    method.after_step(0.5)
    torch.testing.assert_close(norm.running_mean, expected[0])
    torch.testing.assert_close(norm.running_var, expected[1])
    assert int(norm.num_batches_tracked) == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"way": 7}, "way must be at most the number of classes that have 6 labelled samples, 6; got 7"),
        (
            {"queries": 12},
            "way must be at most the number of classes that have 13 labelled samples, 0; got 5",
        ),
        (
            {"batch_size": 29},
            "batch_size must hold an episode of ProtoNet, 5 classes of 6 samples, 30 in all; got 29",
        ),
    ],
)
def test_what_gives_no_episode_is_told_in_one_line(given, says):
    with pytest.raises(ValueError, match=says) as error:
        ProtoNet(**{"way": 5, "queries": 5, "device": "cpu"} | given).fit(table())
    assert len(str(error.value).splitlines()) == 1


def test_a_batch_is_whole_episodes_and_classes_of_few_samples_are_told(caplog):
    rows = table().flat()
    labels = np.arange(6).repeat(12)
    labels[0:8] = -1  # which leaves four of the first class
    method = ProtoNet(
        encoder="mlp", way=3, queries=5, epochs=2, batch_size=40, device="cpu", views=Pair(Same(), Same())
    )
    with caplog.at_level(logging.INFO, logger="replearn"):
        method.fit(rows, labels)
    assert "a batch: 36 samples, 2 episodes of 3 classes, 6 samples of each" in caplog.text
    assert "1 of 6 classes are left out, since they have fewer than 6 labelled samples" in caplog.text
    assert method.batch_size == 40
    assert len(method.history_.rows) == 4  # 72 // 36 an epoch


def test_an_encoder_without_a_second_derivative_is_told():
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, gradient):
            return gradient * 2

    class Net(nn.Linear):
        def forward(self, x):
            return Once.apply(super().forward(x))

    given = {"encoder": Net(7, 5), "views": Pair(Same(), Same()), "way": 3, "epochs": 1, "device": "cpu"}
    with pytest.raises(ValueError, match="first_order must be True for this encoder") as error:
        MAML(**given, batch_size=18).fit(table())
    assert len(str(error.value).splitlines()) == 1
    MAML(**given, batch_size=18, first_order=True).fit(table())


@pytest.mark.all
def test_protonet_tells_new_classes_apart():
    """Trained on five digits, asked about the other five."""
    digits = replearn.load_data("digits", split="train")
    little = digits[np.arange(4_000)].x.numpy()[:, :, ::2, ::2]
    labels = np.asarray(digits.labels[:4_000])
    known, new = labels < 5, labels >= 5
    given = {"encoder": "cnn", "way": 5, "shots": 5, "queries": 15, "batch_size": 100, "learning_rate": 3e-3}
    method = ProtoNet(**given, epochs=4, device="cpu")
    method.fit(np.ascontiguousarray(little[known]), labels[known])
    blank = ProtoNet(**given).prepare(np.ascontiguousarray(little[known]), labels[known])
    scores = [
        episodes(net.transform(np.ascontiguousarray(little[new])), labels[new], shots=5, n=200).accuracy
        for net in (method, blank)
    ]
    print(scores)
    assert scores[0] > scores[1] + 0.05


@pytest.mark.parametrize("cls", [MAML, ANIL, Reptile])
def test_adapting_learns_a_task_and_leaves_what_was_fitted(cls):
    samples = table()
    given = {"shots": 4, "inner_steps": 2} if cls is Reptile else {"queries": QUERIES}
    net = nn.Sequential(nn.Linear(7, 16), nn.BatchNorm1d(16), nn.ReLU())
    method = cls(encoder=net, views=Pair(Same(), Same()), way=WAY, epochs=30, device="cpu", **given).fit(
        samples
    )
    before = {f"{a}.{b}": t.clone() for a, m in method.modules().items() for b, t in m.state_dict().items()}
    shots, queries = (np.arange(3)[None] * 12 + np.arange(*each)[:, None] for each in ((0, 5), (5, 12)))
    told = method.adapt(samples.subset(shots.ravel()), samples.subset(queries.ravel()), steps=40)
    assert told.shape == (21, WAY)
    assert (told.argmax(1) == np.arange(21) % WAY).mean() > 0.6  # chance: 0.33
    after = {f"{a}.{b}": t for a, m in method.modules().items() for b, t in m.state_dict().items()}
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not method.encoder_.training
    with pytest.raises(ValueError, match="shots must be as many of each of the 3 classes"):
        method.adapt(samples.subset(np.arange(4)), samples)


def test_adapting_changes_the_head_alone_in_anil():
    method, _, _ = prepared(ANIL)
    assert [name for name in method.weights() if method.adapts(name)] == ["1.weight", "1.bias"]
    method, _, _ = prepared(MAML)
    assert all(method.adapts(name) for name in method.weights())
