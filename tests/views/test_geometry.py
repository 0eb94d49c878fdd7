"""Geometric views against slow references: loops over pixels, scipy, torch's own flips and turns."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from replearn.data.samples import Batch
from replearn.views import Chain, Crop, Elastic, Flip, Resize, Rotate, Scale, Shear, Shift, VerticalFlip
from replearn.views.warp import Geometry, _between_knots, affine, warp


class Fixed(Geometry):
    """A view that does one given thing."""

    def __init__(self, move: torch.Tensor, size: tuple[int, int] | None = None) -> None:
        self.move, self.size = move, size

    def draw(self, batch, size):
        return self.move.expand(len(batch), *self.move.shape[1:])

    def size_after(self, size):
        return self.size or size


def blob(n: int = 4, c: int = 2, h: int = 40, w: int = 32, seed: int = 0) -> Batch:
    """Smooth images whose outer third is flat, so that nothing depends on what lies beyond the border."""
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.random((n, c, h, w)), (0, 0, 2, 2))
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    window = np.exp(-((x**2 + y**2) ** 2) / 0.1)
    x = torch.from_numpy(noise / noise.max() * window).float()
    return Batch(x, torch.zeros(n, dtype=torch.long), torch.arange(n))


def read(image: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Bilinear readings at places counted from the middle of the first pixel; border pixels go on outside."""
    return ndimage.map_coordinates(image, [y, x], order=1, mode="nearest", prefilter=False)


def reference(image: np.ndarray, size: tuple[int, int], place) -> np.ndarray:
    """One channel resampled in a double loop: `place(px, py)` in pixels from the centre."""
    h, w = image.shape
    result = np.zeros(size)
    for i in range(size[0]):
        for j in range(size[1]):
            x, y = place(j + 0.5 - size[1] / 2, i + 0.5 - size[0] / 2)
            result[i, j] = read(image, np.array([y + h / 2 - 0.5]), np.array([x + w / 2 - 0.5]))[0]
    return result


def test_an_affine_chain_is_the_product_of_its_matrices(make_batch):
    batch = make_batch(3, 2, 11, 7)
    torch.manual_seed(1)
    moves = torch.eye(3) + 0.2 * torch.randn(3, 3, 3, 3)
    moves[:, :, 2] = torch.tensor([0.0, 0.0, 1.0])
    views = []
    for move in moves:
        view = Fixed(move[:1])
        view.draw = lambda batch, size, move=move: move
        views.append(view)
    seen = warp(batch, views).x.numpy()
    for n in range(3):
        product = (moves[0, n].double() @ moves[1, n].double() @ moves[2, n].double()).numpy()
        for c in range(2):
            expected = reference(
                batch.x[n, c].double().numpy(), (11, 7), lambda x, y, m=product: (m @ [x, y, 1])[:2]
            )
            np.testing.assert_allclose(seen[n, c], expected, atol=2e-5)


@pytest.mark.parametrize("place", ["last", "middle", "first"])
def test_a_bend_is_added_in_its_place(place, make_batch):
    batch = make_batch(1, 1, 10, 8)
    turn = affine(1, xx=0.8, xy=-0.3, yx=0.4, yy=0.9, x=0.5, device=torch.device("cpu"))
    torch.manual_seed(0)
    # Knots on a plane: bicubic interpolation of a linear bend is the linear bend, away from its outer cells.
    across, down = torch.meshgrid(torch.linspace(-1, 1, 6), torch.linspace(-1, 1, 6), indexing="xy")
    bend = torch.stack([0.3 * across - 0.2 * down, 0.5 * down + 0.1 * across])[None]
    views = {
        "last": [turn, bend],
        "middle": [turn, bend, turn],
        "first": [bend, turn],
    }[place]

    def follow(x, y):
        for view in reversed(views):
            if view is turn:
                x, y = (turn[0].double().numpy() @ [x, y, 1])[:2]
            else:  # linear over the centres of the outer pixels, 7 and 9 apart
                u, v = np.clip(x / 3.5, -1, 1), np.clip(y / 4.5, -1, 1)
                x, y = x + 0.3 * u - 0.2 * v, y + 0.5 * v + 0.1 * u
        return x, y

    seen = warp(batch, [Fixed(move) for move in views]).x[0, 0].numpy()
    expected = reference(batch.x[0, 0].double().numpy(), (10, 8), follow)
    np.testing.assert_allclose(seen, expected, atol=0.06)
    assert np.abs(seen - expected).mean() < 0.01


@pytest.mark.parametrize(
    "views",
    [
        (Rotate(40.0), Shear(20.0)),
        (Shift(0.05), Rotate(30.0), Flip()),
        (Rotate(30.0), Elastic(0.03, 4)),
        (Elastic(0.03, 4), Rotate(30.0)),
        (Elastic(0.02, 4), Scale(0.9, 1.1), Elastic(0.02, 5), VerticalFlip()),
        (Crop(0.8, 1.0), Rotate(20.0), Elastic(0.02, 3)),
    ],
    ids=str,
)
def test_a_fused_chain_is_what_its_views_do_one_after_another(views):
    batch = blob()
    torch.manual_seed(3)
    fused = Chain(*views)(batch).x
    torch.manual_seed(3)
    one_by_one = batch
    for view in views:
        one_by_one = view(one_by_one)
    # Resampling several times smooths, so they differ by that; a wrong order or sign differs by far more.
    assert (fused - one_by_one.x).abs().mean() < 0.15 * (batch.x - one_by_one.x).abs().mean()
    assert (fused - one_by_one.x).abs().max() < 0.1


@pytest.mark.parametrize(
    ("view", "axis"), [(Flip(1.0), 3), (VerticalFlip(1.0), 2)], ids=["Flip", "VerticalFlip"]
)
def test_flips_are_exact(view, axis, make_batch):
    batch = make_batch(3, 2, 7, 10)
    torch.testing.assert_close(view(batch).x, batch.x.flip(axis), atol=1e-5, rtol=0)


def test_flip_probability(make_batch):
    batch = make_batch(2000, 1, 1, 2)
    flipped = ((Flip(0.3)(batch).x - batch.x).abs() > 1e-4).flatten(1).any(1).float().mean()
    assert abs(flipped - 0.3) < 0.05
    torch.testing.assert_close(Flip(0.0)(batch).x, batch.x, atol=1e-5, rtol=0)


def test_quarter_turns_are_exact(make_batch):
    batch = make_batch(2, 3, 9, 9)
    for quarter in range(4):
        angle = quarter * math.pi / 2
        move = affine(
            1, xx=math.cos(angle), xy=-math.sin(angle), yx=math.sin(angle), yy=math.cos(angle),
            device=torch.device("cpu"),
        )  # fmt: skip
        seen = Fixed(move)(batch).x
        torch.testing.assert_close(seen, torch.rot90(batch.x, quarter, (2, 3)), atol=1e-5, rtol=0)


def test_rotate_turns_by_the_angle_that_it_draws():
    batch = blob(n=6, c=1, h=33, w=33)
    torch.manual_seed(2)
    seen = Rotate(60.0)(batch).x
    torch.manual_seed(2)
    angles = torch.rand(6) * 120 - 60
    assert angles.abs().max() > 20
    for n in range(6):
        expected = ndimage.rotate(
            batch.x[n, 0].numpy(), float(angles[n]), reshape=False, order=1, mode="nearest"
        )
        np.testing.assert_allclose(seen[n, 0], expected, atol=1e-4)


def test_shear_keeps_the_middle_row_and_slides_the_others():
    x = torch.zeros(1, 1, 21, 21)
    x[:, :, :, 10] = 1
    batch = Batch(x.expand(50, -1, -1, -1), torch.zeros(50, dtype=torch.long), torch.arange(50))
    seen = Shear(30.0)(batch).x[:, 0]
    centre = (seen * torch.arange(21)).sum(2) / seen.sum(2)  # (n, rows)
    torch.testing.assert_close(centre[:, 10], torch.full((50,), 10.0), atol=1e-3, rtol=0)
    slope = (centre[:, 18] - centre[:, 2]) / 16
    assert slope.abs().max() <= math.tan(math.radians(30)) + 0.03
    assert slope.abs().max() > 0.4


def test_crop_of_everything_is_the_image(make_batch):
    batch = make_batch(4, 2, 9, 13)
    torch.testing.assert_close(Crop(1.0, 1.0, 1.0, 1.0)(batch).x, batch.x, atol=1e-5, rtol=0)


def test_crops_have_the_areas_and_shapes_asked_for_and_lie_within():
    batch = blob(n=3000, c=1, h=20, w=30)
    move = Crop(0.2, 0.6, 0.5, 2.0).draw(batch, (20, 30))
    area, ratio = move[:, 0, 0] * move[:, 1, 1], move[:, 0, 0] / move[:, 1, 1]
    inside = (move[:, 0, 0] < 0.999) & (move[:, 1, 1] < 0.999)
    assert 0.2 <= area.min() < 0.21
    assert area.max() <= 0.6001
    assert abs(area[inside & (area < 0.4)].mean() - 0.3) < 0.01
    assert 0.5 <= ratio.min() < 0.51
    assert 1.95 < ratio.max() <= 2.0001
    for axis, side in ((0, 30), (1, 20)):
        reach = move[:, axis, 2].abs() + move[:, axis, axis] * side / 2
        assert reach.max() <= side / 2 + 1e-3
        assert move[:, axis, 2].abs().max() > side / 8


def test_shift_and_scale_draw_what_they_say():
    batch = blob(n=2000, c=1)
    shift, scale = Shift(0.1).draw(batch, (40, 32)), Scale(0.5, 2.0).draw(batch, (40, 32))
    assert 3.0 < shift[:, 0, 2].max() <= 3.2
    assert -4.0 <= shift[:, 1, 2].min() < -3.8
    assert 0.5 <= scale[:, 0, 0].min() < 0.52
    assert 1.95 < scale[:, 1, 1].max() <= 2.0
    assert abs((scale[:, 0, 0] > 1).float().mean() - 0.5) < 0.05


def test_a_bend_passes_through_its_knots_which_span_the_image_from_edge_to_edge(make_batch):
    knots = torch.randn(2, 2, 5, 5)
    torch.testing.assert_close(_between_knots(knots, (9, 13))[:, :, ::2, ::3], knots)


def test_each_pixel_is_moved_by_the_knot_that_lies_on_it(make_batch):
    batch = make_batch(1, 1, 5, 5)
    rows = torch.tensor([3.0, 0.0, 1.0, 4.0, 2.0])
    bend = torch.zeros(1, 2, 5, 5)
    bend[0, 1] = (rows - torch.arange(5.0))[:, None]
    for views in ([Fixed(bend)], [Fixed(bend), Fixed(torch.eye(3)[None])]):
        seen = warp(batch, views).x
        torch.testing.assert_close(seen, batch.x[:, :, rows.long()], atol=1e-5, rtol=0)


def test_elastic_of_no_strength_is_the_image_and_grows_with_it(make_batch):
    batch = make_batch(4, 1, 16, 16)
    torch.testing.assert_close(Elastic(0.0, 4)(batch).x, batch.x, atol=1e-5, rtol=0)
    bends = Elastic(0.05, 5).draw(make_batch(500, 1, 4, 4), (20, 40))
    torch.testing.assert_close(bends[:, 0].std(), torch.tensor(2.0), rtol=0.05, atol=0)
    torch.testing.assert_close(bends[:, 1].std(), torch.tensor(1.0), rtol=0.05, atol=0)


def test_shrinking_takes_means_and_does_not_alias(make_batch):
    batch = make_batch(2, 3, 12, 20)
    # Readings fall between pixels evenly, so a whole ratio is the mean over blocks.
    torch.testing.assert_close(
        Resize((4, 5))(batch).x, torch.nn.functional.avg_pool2d(batch.x, (3, 4)), atol=1e-5, rtol=0
    )
    stripes = torch.zeros(1, 1, 32, 32)
    stripes[..., ::2] = 1
    seen = Resize(16)(batch.with_x(stripes.expand(2, -1, -1, -1))).x
    torch.testing.assert_close(seen, torch.full_like(seen, 0.5), atol=1e-5, rtol=0)


def test_enlarging_is_bilinear(make_batch):
    batch = make_batch(2, 3, 6, 5)
    expected = torch.nn.functional.interpolate(batch.x, (13, 17), mode="bilinear", align_corners=False)
    torch.testing.assert_close(Resize((13, 17))(batch).x, expected, atol=1e-5, rtol=0)


def test_sizes_follow_through_a_chain(make_batch):
    batch = make_batch(2, 3, 30, 20)
    assert Chain(Crop(0.5, 1.0, size=16), Rotate(), Elastic())(batch).x.shape == (2, 3, 16, 16)
    assert Chain(Elastic(), Resize((7, 9)), Flip(), Resize(40))(batch).x.shape == (2, 3, 40, 40)


def test_background_continues_beyond_the_border():
    white = torch.ones(3, 1, 9, 9)
    batch = Batch(white, torch.zeros(3, dtype=torch.long), torch.arange(3))
    torch.testing.assert_close(Chain(Shift(0.5), Rotate(90.0), Scale(0.3, 0.5))(batch).x, white)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Crop(0.8, 0.2), "scale_low <= scale_high of Crop must lie from 1e-06 to 1; got 0.8 and 0.2"),
        (lambda: Crop(0.0, 1.0), "scale_low <= scale_high of Crop"),
        (lambda: Crop(0.2, 1.5), "scale_low <= scale_high of Crop"),
        (lambda: Crop(0.2, 1.0, -1.0, 2.0), "ratio_low <= ratio_high of Crop"),
        (lambda: Crop(size=0), "size of Crop must be at least 1 pixel; got 0"),
        (lambda: Resize((3, -2)), "size of Resize must be at least 1 pixel"),
        (lambda: Flip(-0.1), "probability of Flip is a probability, from 0 to 1; got -0.1"),
        (lambda: VerticalFlip(1.1), "probability of VerticalFlip"),
        (lambda: Rotate(-3.0), "degrees of Rotate must be at least 0; got -3.0"),
        (lambda: Rotate(math.nan), "degrees of Rotate"),
        (lambda: Shear(90.0), "degrees of Shear must lie from 0 to 89; got 90.0"),
        (lambda: Shift(-0.1), "fraction of Shift"),
        (lambda: Scale(1.5, 1.2), "low <= high of Scale"),
        (lambda: Elastic(-1.0), "strength of Elastic"),
        (lambda: Elastic(0.1, 1), "knots of Elastic must be a whole number, at least 2; got 1"),
    ],
)
def test_bad_fields(make, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        make()
