"""OrderVerification: what makes it what it is."""

import math

import numpy as np
import pytest
import torch

import replearn
from made_clips import made_clips
from replearn.data import load_data
from replearn.data.samples import Batch
from replearn.methods.exhibit import exhibit_of
from replearn.views import Crop, Pair
from replearn.views.tuples import FrameTuples, can_be_ordered, single_frames, windows_of


@pytest.fixture(scope="module")
def clips():
    return made_clips(40)


def made(samples, **given):
    return replearn.OrderVerification(encoder="cnn", device="cpu", views=FrameTuples(), **given).prepare(
        samples
    )


def test_the_loss_is_that_of_the_papers_tuples(clips, monkeypatch):
    """(b, c, d) is in order, (b, a, d) and (b, e, d) are not; all are seen by one network, frame by frame."""
    method, batch = made(clips), clips[np.arange(3)]
    method.encoder_.eval(), method.head_.eval()
    coins = torch.tensor([[0.1, 0.9, 0.9], [0.9, 0.1, 0.1], [0.9, 0.9, 0.1]])
    draws = iter([torch.zeros(3, 1), coins])  # the first window, then what is turned
    for module in ("replearn.views.tuples", "replearn.methods.pretext.order_verification"):
        monkeypatch.setattr(f"{module}.uniform", lambda batch, *shape: next(draws))
    found = float(method.loss(batch).detach())
    total = 0.0
    for clip, turned in zip(batch.x.double() / 255, coins < 0.5, strict=True):
        frames = dict(zip("abcde", range(5), strict=True))
        for word, right, back in zip(("bcd", "bad", "bed"), (1, 0, 0), turned.tolist(), strict=True):
            z = []
            for name in word[::-1] if back else word:
                x = clip[:, frames[name]][None, :, None].float()
                z.append(method.encoder_(Batch(x, labels=torch.tensor([0]), index=torch.tensor([0]))))
            logits = method.head_(torch.cat(z, 1)).double()[0]
            total -= float((logits[right] - logits.exp().sum().log()).detach())
    assert found == pytest.approx(total / 9, abs=1e-5)


def test_a_frame_is_seen_once_and_alone(clips):
    method, shapes = made(clips), []
    method.encoder_.register_forward_hook(lambda module, given, found: shapes.append(tuple(given[0].x.shape)))
    method.loss(clips[np.arange(6)])
    assert shapes == [(30, 3, 1, 12, 12)]


def test_tuples_of_a_sample_begin_and_end_with_the_same_frames(clips):
    method = made(clips)
    method.encoder_.eval(), method.head_.eval()
    (frames,) = FrameTuples().parts(clips[np.arange(4)])
    told, seen = [], []
    method.head_.register_forward_hook(lambda module, given, found: seen.append(given[0]))
    told = method.logits(frames, torch.zeros(4, 3, dtype=torch.bool))
    back = method.logits(frames, torch.ones(4, 3, dtype=torch.bool))
    d = method.encoder_.dim
    plain, turned = (rows.view(4, 3, 3, d) for rows in seen)
    for end in (0, 2):
        assert torch.equal(plain[:, 0, end], plain[:, 1, end])
        assert torch.equal(plain[:, 0, end], plain[:, 2, end])
    assert not torch.equal(plain[:, 0, 1], plain[:, 1, 1])
    assert torch.equal(turned, plain.flip(2))
    assert told.shape == back.shape == (4, 3, 2)


def test_turned_backwards_the_answer_is_the_same(clips):
    method, found = made(clips), set()
    for seed in range(8):
        torch.manual_seed(seed)
        found.add(tuple(method.guess(clips[np.arange(5)])[1].tolist()))
    assert found == {(1, 0, 0) * 4 + (-1, -1, -1)}  # the fifth stands still at its ends
    assert method.loss_count(clips[np.arange(5)]) == 4


def test_windows_are_drawn_where_much_moves():
    x = torch.zeros(1, 1, 12, 8, 8)
    for t in range(12):
        x[0, 0, t, :, :] = 0.01 * t + (0.5 * (t - 7) if t > 7 else 0)  # much of it at the end
    windows, motion = windows_of(x)
    assert windows.tolist()[:3] == [[0, 1, 2, 3, 4], [1, 2, 3, 4, 5], [2, 3, 4, 5, 6]]
    assert [2, 4, 6, 8, 10] in windows.tolist()
    assert len(windows) == 8 + 4
    change = x[0, 0, :, 0, 0]
    for window, moved in zip(windows.tolist(), motion[0].tolist(), strict=True):
        b, c, d = window[1:4]
        assert moved == pytest.approx(
            float((change[c] - change[b]).abs() + (change[d] - change[c]).abs()), abs=1e-6
        )
    batch = Batch(x.expand(400, -1, -1, -1, -1).contiguous(), torch.zeros(400).long(), torch.arange(400))
    torch.manual_seed(0)
    (drawn,) = FrameTuples()(batch)
    middle = drawn.x.view(400, 5, 8, 8)[:, 2, 0, 0]
    at = (middle[:, None] - change).abs().argmin(1)
    shares = torch.zeros(12).index_add(0, windows[:, 2], motion[0] / motion.sum())
    torch.testing.assert_close(at.bincount(minlength=12) / 400, shares, atol=0.08, rtol=0)
    (best,) = FrameTuples().parts(batch.rows(0, 1))
    assert best.x.flatten(1)[:, 0].tolist() == change[windows[motion[0].argmax()]].tolist()


def test_neighbours_that_are_one_frame_are_not_asked():
    x = made_clips(3, frames=6, still=False)[np.arange(3)].floats().x
    x[0, :, 2] = x[0, :, 1]
    x[1, :, 1] = x[1, :, 0]
    batch = Batch(x, torch.zeros(3).long(), torch.arange(3))
    assert can_be_ordered(batch).tolist() == [False, True, True]
    assert (windows_of(x)[1] > 0).tolist() == [[False, False], [False, True], [True, True]]
    torch.manual_seed(0)
    (frames,) = FrameTuples()(Batch(x[1:2].repeat(50, 1, 1, 1, 1), torch.zeros(50).long(), torch.arange(50)))
    torch.testing.assert_close(frames.x.view(50, 5, 3, 12, 12)[:, 0], x[1, :, 1].expand(50, -1, -1, -1))
    method = made(made_clips(8))
    assert float(method.measures(batch)["left_out"]) == pytest.approx(1 / 3)
    still = batch.with_x(x[:, :, :1].expand_as(x).contiguous())
    assert float(method.loss(still).detach()) == 0
    assert method.exhibit(still) is None


def test_the_representation_is_that_of_frames_its_mean_and_its_change(clips):
    method, batch = made(clips, layer=-1), clips[np.arange(3)]
    method.encoder_.eval()
    with torch.no_grad():
        h = method.represent(batch).view(3, -1, 2)
        frames = method.encoder_(single_frames(batch)).view(3, 6, -1)
    torch.testing.assert_close(h[:, :, 0], frames.mean(1))
    wave = torch.cos(math.pi * (torch.arange(6) + 0.5) / 6)
    torch.testing.assert_close(h[:, :, 1], (frames * wave[:, None]).mean(1), atol=1e-5, rtol=1e-4)
    assert method.representation_dim == 2 * method.encoder_.dim
    every = made(clips)
    assert every.represent(batch).shape == (3, every.representation_dim)


def test_what_cannot_be_asked_is_refused(clips):
    with pytest.raises(ValueError, match=r"needs tuples of frames, FrameTuples\(...\)"):
        replearn.OrderVerification(views=Pair(Crop(0.5, 1.0)), device="cpu").prepare(clips)
    with pytest.raises(ValueError, match=r"clips of at least 5; got 4\. Read longer ones") as raised:
        replearn.OrderVerification(device="cpu").fit(made_clips(8, frames=4))
    assert "\n" not in str(raised.value)


def test_accuracy_and_chance_are_those_of_three_tuples_of_which_one_is_right(clips):
    method = made(clips)
    torch.manual_seed(0)
    found = method.measures(clips[np.arange(40)])
    assert float(found["chance"]) == pytest.approx(2 / 3)
    assert float(found["left_out"]) == pytest.approx(0.2)
    assert method.loss_at_collapse() == pytest.approx(-sum(p * math.log(p) for p in (1 / 3, 2 / 3)), abs=1e-6)
    shown = exhibit_of(method, clips[np.arange(20)])
    assert list(shown.pictures) == ["first", "middle", "last"]
    assert len(shown.said) == len(shown.right) == 16
    assert set(shown.said) <= {"in order", "out of order"}


@pytest.mark.all
def test_it_learns_the_order_of_digits_that_move():
    train, test = (load_data("moving-digits", split=part) for part in ("train", "test"))
    method = replearn.OrderVerification(device="cpu", epochs=6).fit(train)
    batch = test[np.arange(250)]
    (frames,) = FrameTuples().parts(batch)
    method.encoder_.eval(), method.head_.eval()
    with torch.no_grad():
        logits = method.logits(frames, torch.zeros(250, 3, dtype=torch.bool))
    score = logits[..., 1] - logits[..., 0] + math.log(2)
    balanced = ((score[:, 0] > 0).float().mean() + (score[:, 1:] < 0).float().mean()) / 2
    assert balanced > 0.85
