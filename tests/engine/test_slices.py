"""Slices: the gradient of the whole batch, in less memory."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from children import built, little_digits
from torch import Tensor, nn

from made_clips import made_clips
from made_graphs import made_graphs
from replearn import SimCLR
from replearn.data import Samples, as_samples
from replearn.data.graphs import Graphs
from replearn.data.samples import Batch
from replearn.encoders.base import Encoder
from replearn.encoders.graph_net import GraphEncoder
from replearn.engine import slices, train
from replearn.engine.slices import Sliced, buffers_kept, in_slices, parted, views_in_slices
from replearn.objectives import nt_xent
from replearn.views import Pair, View, uniform
from replearn.views.defaults import SPLITS, named_views
from replearn.views.kinds import VIEWS

ONLY_CLIPS = {*VIEWS["video"].splits} - {*VIEWS["image"].splits}


def encoder(*layers: nn.Module) -> Encoder:
    torch.manual_seed(0)
    body = nn.Sequential(nn.Flatten(), nn.Linear(64, 12), *layers, nn.Tanh(), nn.Linear(12, 6))
    return Encoder(body, dim=6, mean=torch.tensor([0.5]), std=torch.tensor([0.3]))


def batch(n: int = 17) -> Batch:
    return as_samples(little_digits())[np.arange(n)]


def gradients(net: Encoder, size: int | None, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    net.to(dtype)
    net.zero_grad()
    with in_slices(net, size):
        h = net(batch())
        nt_xent(h, h.roll(1, 0)).backward()
    return [p.grad.clone() for p in net.parameters() if p.grad is not None]


@pytest.mark.parametrize("size", [1, 4, 16, 17, 100])
def test_the_gradient_is_that_of_the_whole_batch(size: int) -> None:
    whole, sliced = gradients(encoder(), None), gradients(encoder(), size)
    for a, b in zip(whole, sliced, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("make", [lambda: nn.BatchNorm1d(12), lambda: nn.BatchNorm1d(12, momentum=None)])
def test_running_statistics_count_each_slice_once(make: Callable[[], nn.Module]) -> None:
    net, expected = encoder(make()), encoder(make())
    gradients(net, 4)
    expected.double()
    for start, stop in ((0, 3), (3, 6), (6, 10), (10, 13), (13, 17)):
        expected(batch().rows(start, stop))
    for name, wanted in expected.named_buffers():
        torch.testing.assert_close(net.get_buffer(name), wanted)


def test_a_frozen_norm_stays_as_it_is() -> None:
    net = encoder(nn.BatchNorm1d(12))
    net.body[2].eval()
    before = {name: value.clone() for name, value in net.named_buffers()}
    gradients(net, 4, torch.float32)
    assert all(torch.equal(before[name], value) for name, value in net.named_buffers())


def test_buffers_are_the_same_objects_afterwards() -> None:
    net = encoder(nn.BatchNorm1d(12))
    before = dict(net.named_buffers())
    with buffers_kept(net):
        net(batch())
    assert all(value is before[name] for name, value in net.named_buffers())
    assert int(net.body[2].num_batches_tracked) == 0


def test_dropout_is_drawn_alike_in_both_runs() -> None:
    net = encoder(nn.Dropout(0.5))
    net.to(torch.float64)
    torch.manual_seed(3)
    with in_slices(net, 4):
        loss = net(batch()).square().sum()
    direction = torch.randn_like(net.body[1].weight) * 1e-6
    loss.backward()
    slope = float((net.body[1].weight.grad * direction).sum())
    with torch.no_grad():
        net.body[1].weight += direction
    torch.manual_seed(3)
    with in_slices(net, 4):
        moved = net(batch()).square().sum()
    assert float((moved - loss).detach()) == pytest.approx(slope, rel=1e-3)


def test_precision_is_kept_under_autocast() -> None:
    net, sizes = encoder(), []
    net.body[1].register_forward_hook(lambda layer, given, out: sizes.append(out.dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16), in_slices(net, 4):
        h = net(batch())
    h.float().sum().backward()
    assert set(sizes) == {torch.bfloat16}
    assert len(sizes) == 10  # 5 slices, each twice


def test_less_memory_is_held() -> None:
    def held(size: int | None) -> int:
        method, samples = built(encoder="cnn", slice_size=size)
        total, seen = 0, set()

        def count(tensor: Tensor) -> Tensor:
            nonlocal total
            if tensor.untyped_storage().data_ptr() not in seen:
                seen.add(tensor.untyped_storage().data_ptr())
                total += tensor.untyped_storage().nbytes()
            return tensor

        with in_slices(method.encoder_, size), torch.autograd.graph.saved_tensors_hooks(count, lambda t: t):
            method.encoder_(samples[np.arange(32)]).sum()
        return total

    assert held(4) < 0.1 * held(None)


def test_encoders_are_left_as_they_were() -> None:
    net = encoder()
    with pytest.raises(RuntimeError), in_slices(net, 2):
        raise RuntimeError
    assert "forward" not in vars(net)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("preset", ["photo", "grey", "directed", "drawing"])
def test_views_in_slices_are_those_of_the_whole_batch(preset: str, split: str) -> None:
    if split in ONLY_CLIPS:
        samples, preset = made_clips(11), "clip"
    else:
        samples = made_images(preset, split)
    views = named_views(preset, samples, split)
    seen = samples[np.arange(11)].part_of(20, start=3)
    torch.manual_seed(5)
    whole = views(seen)
    following = torch.rand(1)
    torch.manual_seed(5)
    sliced = Sliced(views, 4)(seen)
    assert torch.equal(torch.rand(1), following)
    assert len(sliced) == len(whole)
    for a, b in zip(sliced, whole, strict=True):
        torch.testing.assert_close(a.x, b.x, rtol=0, atol=1e-5)
        assert torch.equal(a.labels, b.labels)
        assert torch.equal(a.index, b.index)
        assert (a.start, a.total) == (b.start, b.total)


def made_images(preset: str, split: str) -> Samples:
    rng = np.random.default_rng(0)
    colours = preset == "photo" or split == "grey_of"  # which grey images have none of
    return as_samples(rng.integers(0, 256, (11, 3 if colours else 1, 40, 40), dtype=np.uint8))


@dataclass(frozen=True)
class Louder(View):
    """Each sample times a number of its own."""

    def __call__(self, batch: Batch) -> Batch:
        return batch.with_x(batch.x * uniform(batch).view(-1, *[1] * (batch.x.ndim - 1)))


@pytest.mark.parametrize("shape", [(2, 50), (1, 4, 5, 6)], ids=["series", "volumes"])
def test_tensors_of_any_kind_are_seen_in_slices(shape: tuple[int, ...]) -> None:
    x = 1e6 * torch.rand(11, *shape)  # more than 16 bits can hold
    batch = Batch(x, labels=torch.zeros(11, dtype=torch.long), index=torch.arange(11))
    asked, views = [], Pair(Louder())

    class Counted(Pair):
        def __call__(self, batch: Batch) -> tuple[Batch, ...]:
            asked.append(len(batch))
            return super().__call__(batch)

    torch.manual_seed(5)
    whole = views(batch)
    torch.manual_seed(5)
    sliced = Sliced(Counted(Louder()), 4, torch.float16)(batch)
    assert asked == [4, 4, 3]
    assert all(torch.equal(a.x, b.x) for a, b in zip(sliced, whole, strict=True))


def test_views_are_made_for_few_samples_at_a_time() -> None:
    method, samples = built(encoder="cnn", slice_size=8)
    asked, views = [], method.views_

    class Counted(type(views)):
        def __call__(self, batch: Batch) -> tuple[Batch, ...]:
            asked.append(len(batch))
            return super().__call__(batch)

    method.views_ = Counted(**vars(views))
    with views_in_slices(method, 8):
        method.views_(samples[np.arange(32)])
    assert asked == [8, 8, 8, 8]
    assert isinstance(method.views_, Counted)


def test_views_are_held_in_the_bits_that_networks_compute_in() -> None:
    seen = {}
    for precision in ("32-true", "bf16-mixed"):
        method, samples = built(encoder="cnn", slice_size=8, precision=precision)
        torch.manual_seed(0)
        with views_in_slices(method, 8):
            seen[precision] = [view.x for view in method.views_(samples[np.arange(32)])]
    for wide, narrow in zip(*seen.values(), strict=True):
        assert (wide.dtype, narrow.dtype) == (torch.float32, torch.float16)
        assert (wide - narrow.float()).abs().max() <= 2**-12  # a sixteenth of a grey level


class Weighed(nn.Module):
    """Sums of a function of nodes, which notes how many it saw at once."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 5), nn.Tanh())
        self.seen: list[int] = []

    def forward(self, x: Graphs) -> Tensor:
        self.seen.append(len(x.nodes))
        return x.pool(self.net(x.nodes), "sum")


def of_graphs() -> GraphEncoder:
    torch.manual_seed(0)
    return GraphEncoder(Weighed(), dim=5, mean=torch.zeros(3), std=torch.ones(3))


def test_no_slice_of_graphs_holds_more_nodes_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "MOST", 40)
    batch = made_graphs(20)[np.arange(20)]
    nets = whole, capped = of_graphs(), of_graphs()
    for net in nets:
        with in_slices(net, None, capped=net is capped):
            h = net.read(batch)
            nt_xent(h, h.roll(1, 0)).backward()
    assert max(whole.body.seen) == len(batch.x.nodes) > 80
    assert max(capped.body.seen) <= 40
    for a, b in zip(whole.parameters(), capped.parameters(), strict=True):
        torch.testing.assert_close(b.grad, a.grad, rtol=1e-4, atol=1e-6)


def test_samples_are_parted_by_what_they_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "MOST", 10)
    assert parted(10, 4) == [0, 3, 6, 10]
    assert parted(4, None, np.array([9, 1, 1, 1])) == [0, 1, 4]
    assert parted(5, None, np.array([1, 20, 1, 1, 9])) == [0, 1, 2, 4, 5]  # one holds too much by itself
    assert parted(6, 2, np.ones(6, int)) == [0, 2, 4, 6]
    assert parted(3, None, np.zeros(3, int)) == [0, 3]
    draw = np.random.default_rng(0)
    for counts in draw.integers(1, 11, (50, 30)):
        held = np.add.reduceat(counts, parted(30, None, counts)[:-1])
        assert held.max() <= 10


def test_training_and_embedding_keep_to_it_and_say_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(slices, "MOST", 40)
    monkeypatch.setattr(train, "MOST", 40)
    body = Weighed()
    with caplog.at_level("INFO", logger="replearn"):
        method = SimCLR(encoder=body, epochs=1, batch_size=20, device="cpu").fit(made_graphs(30))
    assert re.search(
        r"batches may hold \d+ nodes or points: networks work on slices of at most 40", caplog.text
    )
    seen = method.encoder_.body.seen
    seen.clear()
    method.transform(made_graphs(30))
    assert max(seen) <= 40
    assert sum(seen) == len(made_graphs(30).nodes)
