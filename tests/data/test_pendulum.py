"""The pendulum moves as physics says, its controller swings it up, and what is told of it is what it does."""

import numpy as np
import pytest

from replearn.data import load_data, pendulum, split
from replearn.data.pendulum import (
    FRICTION,
    GRAVITY,
    MOST,
    SECONDS,
    ahead,
    controller,
    drawn,
    energy,
    random_starts,
    simulate,
)


def left_alone(angle, velocity, rows):
    return simulate(
        np.array(angle), np.array(velocity), lambda so_far: so_far.chosen[:, -1], np.zeros((len(angle), rows))
    )


def test_small_swings_are_those_of_the_closed_form():
    found = left_alone([np.pi + 0.01], [0.0], 80).angle[0] - np.pi
    at = np.arange(80) * SECONDS
    pace = np.sqrt(GRAVITY - FRICTION**2 / 4)
    told = np.exp(-FRICTION / 2 * at) * (np.cos(pace * at) + FRICTION / (2 * pace) * np.sin(pace * at))
    np.testing.assert_allclose(found, 0.01 * told, atol=1e-5)


def test_friction_alone_takes_energy():
    swings = left_alone([2.0, -1.0, 0.5], [3.0, -5.0, 0.0], 60)
    lost = -np.diff(energy(swings.angle, swings.velocity), axis=1)
    at = FRICTION * (swings.velocity[:, 1:] ** 2 + swings.velocity[:, :-1] ** 2) / 2 * SECONDS
    np.testing.assert_allclose(lost.sum(1), at.sum(1), rtol=0.01)


def test_the_controller_swings_it_up_and_holds_it_by_a_motor_that_can_not_lift_it():
    swings = pendulum(n=20, rows=200, noise=0)
    assert MOST < GRAVITY / 2
    assert np.abs(swings.torque).max() == MOST
    assert np.cos(swings.angle[:, 0]).min() < -0.9
    assert np.cos(swings.angle[:, -40:]).min() > 0.999


def test_a_torque_is_what_led_to_its_row():
    swings = pendulum(n=3, rows=30)
    angle, velocity = ahead(swings.angle[:, 4], swings.velocity[:, 4], swings.torque[:, 5])
    np.testing.assert_array_equal([angle, velocity], [swings.angle[:, 5], swings.velocity[:, 5]])
    np.testing.assert_array_equal(swings.chosen, controller(swings.angle, swings.velocity))
    kicks = swings.torque[:, 1:] - swings.chosen[:, :-1]
    assert np.abs(kicks).mean() > 0.5
    assert (swings.torque[:, 0] == 0).all()


def test_kicks_have_the_deviation_that_is_asked_for():
    swings = pendulum(n=400, rows=40, noise=0.1)
    whole = np.abs(swings.chosen[:, :-1]) < MOST - 1  # where the motor's limit cuts nothing
    kicks = (swings.torque[:, 1:] - swings.chosen[:, :-1])[:, 20:]
    assert kicks[whole[:, 20:]].std() == pytest.approx(0.1, rel=0.1)


def test_states_and_targets_are_of_the_same_moments():
    swings = pendulum(n=3, rows=30)
    samples = swings.states(window=10, stride=5)
    assert len(samples) == 3 * 5
    x = samples[np.arange(15)].x.numpy()
    np.testing.assert_allclose(x[:, :3, -1], samples.targets.values[:, :3], rtol=1e-6)
    np.testing.assert_allclose(x[6, 3], swings.torque[1, 5:15], rtol=1e-6)
    assert samples.targets.column("torque")[6] == swings.chosen[1, 14]
    assert samples.targets.classes == (None,) * 4
    assert (samples.groups[6], samples.names[6]) == ("trajectory 1", "trajectory 1, row 14")
    way = np.array([[0, 1], [1, 0], [0, -1], [-1, 0]])[samples.labels]  # sine, cosine: up, right, down, left
    assert ((way * samples.targets.values[:, [1, 0]]).sum(1) >= np.sqrt(0.5) - 1e-9).all()


def test_frames_show_the_angle_now_and_a_tenth_of_a_second_ago():
    swings = pendulum(n=2, rows=20)
    samples = swings.frames(window=4, stride=3, size=32)
    assert samples.targets.values.tolist() == swings.states(window=4, stride=3).targets.values.tolist()
    x = samples[np.arange(len(samples))].x.numpy() / 255  # (n, 2, h, w)
    off = np.arange(32) + 0.5 - 16
    right, up = (x.sum(2) * off).sum(2), -(x.sum(3) * off).sum(2)
    seen = np.arctan2(right, up) - np.stack([swings.angle[:, 1:17:3], swings.angle[:, 3::3]], 2).reshape(
        -1, 2
    )
    assert np.abs(np.angle(np.exp(1j * seen))).max() < 0.02


def test_rods_are_those_of_counted_points():
    angle, size, fine = 0.7, 24, 16
    at = (np.arange(size * fine) + 0.5) / fine - size / 2
    right, up = at[None], -at[:, None]
    along = (right * np.sin(angle) + up * np.cos(angle)).clip(0, 0.42 * size)
    inside = np.hypot(right - along * np.sin(angle), up - along * np.cos(angle)) <= 0.06 * size
    told = inside.reshape(size, fine, size, fine).mean((1, 3))
    found = drawn(np.array([[angle]]), size)[0, 0] / 255
    assert np.abs(found - told).max() < 0.25
    assert found.sum() == pytest.approx(told.sum(), rel=0.02)


def test_the_same_seed_is_the_same_however_many_are_asked_for():
    few, more = pendulum(n=2, rows=20), pendulum(n=5, rows=20)
    np.testing.assert_array_equal(few.torque, more.torque[:2])
    assert (pendulum(n=2, rows=20, random_state=1).angle[:, 0] != few.angle[:, 0]).all()
    assert np.ptp(random_starts(200, 1, 0)[0]) > 6


def test_both_sets_are_of_the_same_moments_and_splits_keep_trajectories_apart():
    states, frames = load_data("pendulum", split="test"), load_data("pendulum-frames", split="test")
    assert list(states.names) == list(frames.names)
    assert not {*states.groups} & {*load_data("pendulum", split="train").groups}
    kept, held = split(states, test=0.3)
    assert not {*kept.groups} & {*held.groups}


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (lambda: pendulum(n=0), "at least 1; got 0 and 80"),
        (lambda: pendulum(noise=-1.0), "noise must be a number of at least 0"),
        (lambda: pendulum(n=1, rows=9).states(), "between 1 and the 9 rows of a trajectory"),
        (lambda: pendulum(n=1, rows=9).states(window=3, stride=0), "stride be at least 1"),
        (lambda: pendulum(n=1, rows=9).frames(window=2), "at least 3 rows; got 2"),
        (lambda: pendulum(n=1, rows=9).frames(window=3, size=7), "at least 8 pixels"),
    ],
)
def test_bad_numbers_are_refused(made, match):
    with pytest.raises(ValueError, match=match):
        made()
