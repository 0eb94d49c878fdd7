"""ArrowOfTime: what makes it what it is."""

import math

import numpy as np
import pytest
import torch

import replearn
from made_clips import made_clips
from replearn.data import load_data
from replearn.data.samples import Batch
from replearn.data.videos import bouncing
from replearn.methods.exhibit import exhibit_of
from replearn.views import Crop, Pair
from replearn.views.directions import Directions, Stabilised, directions_of, goes_on, without_bars


@pytest.fixture(scope="module")
def clips():
    return made_clips(40)


def made(samples, **given):
    return replearn.ArrowOfTime(encoder="cnn", device="cpu", views=Directions(), **given).prepare(samples)


def accuracy(method, samples):
    batch = samples[np.arange(len(samples))]
    (played,) = Directions().parts(batch)
    right = directions_of(batch)
    method.encoder_.eval()
    with torch.no_grad():
        told = method.logits_(method.encoder_(played)).argmax(1)
    return float((told == right)[right >= 0].float().mean())


def test_the_loss_is_that_of_the_papers_equation(clips):
    """The mean over clips that are asked, and both directions, of - ln p(direction | clip)."""
    method, batch = made(clips), clips[np.arange(6)]
    method.encoder_.eval()
    total, asked = 0.0, 0
    for clip in batch.x.double() / 255:
        if all(torch.equal(clip[:, a], clip[:, b]) for a, b in ((0, 1), (-1, -2))):
            continue
        asked += 1
        for way, frames in enumerate((range(6), range(5, -1, -1))):
            seen = torch.stack([clip[:, t] for t in frames], 1)[None].float()
            one = Batch(seen, labels=torch.tensor([0]), index=torch.tensor([0]))
            logits = method.logits_(method.encoder_(one)).double()[0]
            total -= float((logits[way] - logits.exp().sum().log()).detach())
    assert asked == 5
    assert method.loss_count(batch) == 5
    assert float(method.loss(batch).detach()) == pytest.approx(total / (2 * asked), abs=1e-5)


def test_both_directions_of_each_clip_are_in_one_pass_of_the_network(clips):
    method, seen = made(clips), []
    method.encoder_.register_forward_hook(lambda module, given, found: seen.append(given[0].x))
    method.loss(clips[np.arange(6)])
    (x,) = seen
    assert len(x) == 12
    assert torch.equal(x[::2], x[1::2].flip(2))
    assert not torch.equal(x[::2], x[1::2])


def test_what_a_view_draws_is_the_same_in_both_directions(clips):
    views = replearn.views.default_views(clips, "directions")
    torch.manual_seed(0)
    (played,) = views(clips[np.arange(8)])
    torch.testing.assert_close(played.x[::2], played.x[1::2].flip(2))


def test_clips_that_end_or_begin_in_a_repeated_frame_are_not_asked(clips):
    x = clips[np.arange(4)].floats().x
    x[0, :, -1] = x[0, :, -2]
    x[1, :, 0] = x[1, :, 1]
    x[2, :, 3] = x[2, :, 2]  # between them anything may be
    batch = Batch(x, labels=torch.zeros(4).long(), index=torch.arange(4))
    assert goes_on(batch).tolist() == [False, False, True, True]
    assert directions_of(batch).tolist() == [-1] * 4 + [0, 1] * 2
    method = made(clips)
    assert float(method.measures(batch)["left_out"]) == 0.5
    padded = batch.with_x(x[:, :, [0, 1, 2, 3, 3, 3]])
    assert float(method.loss(padded).detach()) == 0
    assert set(method.measures(padded)) == {"left_out"}
    assert method.exhibit(padded) is None
    assert not goes_on(batch.with_x(x[:, :, :1])).any()


def test_padding_would_give_the_answer_away():
    """The same clips with one frame more than a repeated one are asked, and told at once by an untrained rule."""
    x = made_clips(60, still=False)[np.arange(60)].x.numpy().swapaxes(1, 2)
    padded = np.concatenate([x, x[:, -1:]], 1)
    batch = replearn.as_samples(padded[:, :5], kind="video")[np.arange(60)]
    assert goes_on(batch).all()  # cut inside of its length
    assert not goes_on(Batch(torch.from_numpy(padded.swapaxes(1, 2)), batch.labels, batch.index)).any()


def test_black_bars_become_black_and_nothing_else_changes():
    x = torch.rand(2, 3, 4, 10, 12) * 0.7 + 0.3
    x[0, :, :, :2] *= 0.1
    x[0, :, :, -1:] *= 0.1
    x[0, :, :, :, 4] = 0.05  # dark, but between others
    seen = without_bars(x)
    assert not seen[0, :, :, [0, 1, 9]].any()
    assert torch.equal(seen[0, :, :, 2:9], x[0, :, :, 2:9])
    assert torch.equal(seen[1], x[1])
    one = x.clone()
    one[0, 0, 2, 0, 5] = 0.9  # bright in one frame: no bar
    assert torch.equal(without_bars(one)[0, :, :, 1], one[0, :, :, 1])
    batch = Batch(x, labels=torch.zeros(2).long(), index=torch.arange(2))
    assert not Directions().parts(batch)[0].x[0, :, :, 0].any()
    assert Directions(bars=False).parts(batch)[0].x[0, :, :, 0].any()


def test_a_ground_that_moves_is_held_still_and_things_go_on():
    ground, camera = torch.rand(3, 26, 26), [(0, 0), (1, 0), (2, -1), (2, -2), (1, -3)]
    x = torch.stack([ground[:, 4 + a : 20 + a, 4 + b : 20 + b] for a, b in camera], 1)[None].clone()
    for t in range(5):
        x[:, :, t, 6:9, 3 + t : 6 + t] = 1  # a thing that moves as the camera does not
    batch = Batch(x, labels=torch.tensor([0]), index=torch.tensor([0]))
    path = Stabilised(2).path(x)[0]
    assert path.tolist() == [[2 - a, -1 - b] for a, b in camera]
    seen = Stabilised(2)(batch).x[0]
    still = seen[:, :, -4:]  # where the thing is not
    torch.testing.assert_close(still, still[:, :1].expand_as(still))
    assert still[:, :, 0].abs().sum() > 0
    back = Stabilised(2)(batch.with_x(x.flip(2))).x[0]
    torch.testing.assert_close(back, seen.flip(1))  # nothing of it tells the direction
    rest = batch.with_x(x[:, :, :1].expand(1, 3, 5, 16, 16).contiguous())
    torch.testing.assert_close(Stabilised(2)(rest).x, rest.x)
    with pytest.raises(ValueError, match="most of Stabilised"):
        Stabilised(0)


def test_views_that_play_nothing_are_refused(clips):
    with pytest.raises(ValueError, match=r"needs views that play clips both ways, Directions\(...\)"):
        replearn.ArrowOfTime(views=Pair(Crop(0.5, 1.0)), device="cpu").prepare(clips)
    with pytest.raises(ValueError, match="video"):
        replearn.ArrowOfTime(device="cpu").fit(np.zeros((8, 1, 8, 8), np.uint8))


def test_answers_are_shown(clips):
    method = made(clips)
    shown = exhibit_of(method, clips[np.arange(20)])
    assert list(shown.pictures) == ["first", "middle", "last"]
    assert len(shown.said) == len(shown.right) == len(shown.pictures["first"]) == 16
    x = clips[np.arange(20)].floats().x
    torch.testing.assert_close(shown.pictures["first"][:2, :, 0], torch.stack([x[0, :, 0], x[1, :, -1]]))
    for said, right, place in zip(shown.said, shown.right, range(16), strict=True):
        assert right == (said == ("forwards", "backwards")[place % 2])


@pytest.mark.all
def test_it_learns_where_time_has_a_direction_and_guesses_where_it_has_none():
    train, test = bouncing(600, size=16), bouncing(400, size=16, random_state=1)
    method = replearn.ArrowOfTime(device="cpu", epochs=8).fit(train.samples())
    assert accuracy(method, test.samples()) > 0.8
    ideal = bouncing(600, size=16, loss=False)
    control = replearn.ArrowOfTime(device="cpu", epochs=8).fit(ideal.samples())
    assert 0.45 < accuracy(control, bouncing(400, size=16, loss=False, random_state=1).samples()) < 0.55


def test_of_what_looks_the_same_both_ways_the_loss_is_that_of_guessing():
    x = load_data("bouncing")[np.arange(16)].floats().x
    x = torch.cat([x, x.flip(2)[:, :, 1:]], 2)  # there and back again
    batch = Batch(x, labels=torch.zeros(16).long(), index=torch.arange(16))
    method = made(load_data("bouncing").subset(np.arange(16)))
    assert float(method.loss(batch).detach()) >= math.log(2) - 1e-4
    assert method.loss_at_collapse() == pytest.approx(math.log(2))
