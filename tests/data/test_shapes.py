"""Shapes are what their factors say, at any resolution."""

import numpy as np
import pytest
import torch

from replearn.data import load_data, shapes
from replearn.data.shapes import FACTORS, SHAPES


def picture(samples, **values):
    """The one picture (h, w) in [0, 1] with these values of the factors, 0 for those not named."""
    place = [values.get(name, 0) for name in FACTORS]
    index = np.ravel_multi_index(place, samples.steps)
    assert samples.factors[index].tolist() == place
    return samples[np.array([index])].x[0, 0].double() / 255


def within(shape, u, v):
    """Whether points in the frame of a shape of area 1 lie within it; v points down."""
    if shape == "square":
        return (abs(u) <= 0.5) & (abs(v) <= 0.5)
    if shape == "ellipse":
        b = np.sqrt(1 / (2 * np.pi))
        return (u / (2 * b)) ** 2 + (v / b) ** 2 <= 1
    a = 1 / np.sqrt(1 + np.pi / 4)  # a square on its corner, and two discs on its upper sides
    centre = (np.pi * a**2 / 4) * (a / np.sqrt(8) + np.sqrt(2) * a / (3 * np.pi))
    up = centre - v
    disc = np.hypot(abs(u) - a / np.sqrt(8), up - a / np.sqrt(8)) <= a / 2
    return (abs(u) + abs(up) <= a / np.sqrt(2)) | disc


def slowly(shape, *, scale, rotation, x, y, size, fine=16):
    """A picture by counting points, 16 x 16 a pixel; side of the square, x and y are shares of the picture."""
    points = (np.arange(size * fine) + 0.5) / (size * fine)
    right, down = points[None, :] - x, points[:, None] - y
    cos, sin = np.cos(rotation) / scale, np.sin(rotation) / scale
    inside = within(shape, cos * right + sin * down, cos * down - sin * right)
    return inside.reshape(size, fine, size, fine).mean(axis=(1, 3))


@pytest.mark.parametrize("shape", range(3), ids=SHAPES)
@pytest.mark.parametrize("size", [28, 64])
def test_pictures_are_those_of_counted_points(shape, size):
    samples = shapes(size=size, scales=2, rotations=5, positions=3)
    side = 0.23 / np.sqrt(2 / np.pi)
    for scale, rotation, x, y in ((0, 1, 0, 2), (1, 0, 1, 1), (1, 3, 2, 0)):
        found = picture(samples, shape=shape, scale=scale, rotation=rotation, x=x, y=y).numpy()
        told = slowly(
            SHAPES[shape],
            scale=side * (0.5, 1.0)[scale],
            rotation=2 * np.pi * rotation / 5,
            x=0.25 + 0.25 * x,
            y=0.25 + 0.25 * y,
            size=size,
        )
        assert abs(found - told).max() < 0.25  # a pixel at a corner
        assert abs(found - told).sum() < 0.05 * told.sum()


def test_factors_are_the_grid_in_order():
    samples = shapes(size=8, scales=2, rotations=3, positions=2)
    assert samples.factors.tolist() == [list(place) for place in np.ndindex(3, 2, 3, 2, 2)]
    assert samples.factor_names == ("shape", "scale", "rotation", "x", "y")
    assert (samples.labels == samples.factors[:, 0]).all()
    part = samples.subset([5, 71])
    assert part.factors.tolist() == samples.factors[[5, 71]].tolist()
    assert part.factor_names == samples.factor_names


def test_the_full_grid_is_that_of_dsprites():
    samples = shapes()
    assert len(samples) == 737_280 == 3 * 6 * 40 * 32 * 32
    assert samples.shape == (1, 64, 64)
    assert samples[np.array([0, 737_279])].x.float().mean() > 1


def test_areas_follow_the_scale_and_nothing_else():
    samples = shapes(size=64, scales=3, rotations=7, positions=2)
    x = samples[np.arange(len(samples))].x[:, 0].double() / 255  # (n, h, w)
    side = 0.23 * np.sqrt(np.pi / 2) * 64
    areas = (side * (0.5 + 0.25 * samples.factors[:, 1])) ** 2
    np.testing.assert_allclose(x.sum((1, 2)).numpy(), areas, rtol=0.015)
    pixels = torch.arange(64) + 0.5
    for name, axis in (("x", 1), ("y", 2)):
        centres = (x.sum(axis) * pixels).sum(1) / x.sum((1, 2))
        told = 64 * (0.25 + 0.5 * samples.factors[:, FACTORS.index(name)])
        np.testing.assert_allclose(centres.numpy(), told, atol=0.06)
    assert x[:, [0, -1]].max() == x[:, :, [0, -1]].max() == 0


def test_symmetries():
    """A quarter turn for the square, half a turn for the ellipse, none for the heart."""
    samples = shapes(size=33, scales=2, rotations=8, positions=3)
    square, ellipse, heart = (
        torch.stack([picture(samples, shape=k, scale=1, rotation=r, x=1, y=1) for r in range(8)])
        for k in range(3)
    )
    torch.testing.assert_close(square[0], square[2], rtol=0, atol=0.01)
    torch.testing.assert_close(ellipse[1], ellipse[5], rtol=0, atol=0.01)
    assert abs(square[0] - square[1]).max() > 0.5
    assert abs(ellipse[0] - ellipse[2]).max() > 0.5
    assert min(abs(heart[0] - heart[turn]).max() for turn in range(1, 8)) > 0.5
    torch.testing.assert_close(heart[0], heart[0].flip(1), rtol=0, atol=0.01)
    torch.testing.assert_close(heart[4], heart[0].flip(0, 1), rtol=0, atol=0.01)
    torch.testing.assert_close(heart[2], heart[0].rot90(-1), rtol=0, atol=0.01)  # clockwise
    assert heart[0][:16].sum() != pytest.approx(float(heart[0][17:].sum()), rel=0.01)


def test_a_picture_does_not_depend_on_its_batch():
    samples = shapes(size=16, scales=2, rotations=5, positions=3)
    order = np.random.default_rng(0).permutation(len(samples))
    assert torch.equal(samples[order].x, samples[np.arange(len(samples))].x[order])
    assert samples[order].index.tolist() == order.tolist()
    assert samples[order].labels.tolist() == samples.labels[order].tolist()
    assert samples[np.array([], dtype=np.int64)].x.shape == (0, 1, 16, 16)


def test_no_built_in_picture_comes_twice():
    samples = load_data("shapes")
    x = samples[np.arange(len(samples))].x.flatten(1).numpy()
    assert len({row.tobytes() for row in x}) == len(samples) == 18_000
    assert (x[:, :1] == 0).all()


def test_one_value_lies_in_the_middle():
    alone = shapes(size=21, scales=1, rotations=1, positions=1)
    assert len(alone) == 3
    x = alone[np.arange(3)].x[:, 0].double()
    torch.testing.assert_close(
        (x.sum(1) * torch.arange(21)).sum(1) / x.sum((1, 2)), torch.full((3,), 10.0).double()
    )


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [("size", 7, "at least 8 pixels"), ("scales", 0, "scales counts"), ("positions", -1, "positions counts")],
)
def test_bad_numbers_are_refused(name, value, match):
    with pytest.raises(ValueError, match=match):
        shapes(**{name: value})
