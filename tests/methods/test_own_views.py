"""Views of one's own: a run that has them is saved, loads, embeds, and trains on where they are given again."""

import numpy as np
import pytest

import replearn
from made_methods import few_images, quick
from replearn.methods import MAE, Colorization, Exemplar, SimCLR
from replearn.views import Grey, Pair, Rotations, Split, View


class Same(View):
    def __call__(self, batch):
        return batch


class Twice(Split):
    def __call__(self, batch):
        return batch, batch


ROWS = np.random.default_rng(0).normal(size=(24, 6)).astype(np.float32)


@pytest.mark.parametrize(
    ("make", "samples"),
    [
        (lambda views: quick(SimCLR, views=views, epochs=1), lambda: few_images().subset(np.arange(16))),
        (lambda views: SimCLR(views=views, encoder="mlp", epochs=1, batch_size=8), lambda: ROWS),
    ],
)
@pytest.mark.parametrize("own", [Pair(Same()), Twice()])
def test_views_of_ones_own(make, samples, own, tmp_path, caplog):
    method = make(own).fit(samples(), run=tmp_path / "run")
    name = type(own).__name__
    assert [f"views of your own, {name}, are not stored" in r.getMessage() for r in caplog.records].count(
        True
    ) == 1
    bare = replearn.load(tmp_path / "run")
    np.testing.assert_array_equal(bare.transform(samples()), method.transform(samples()))
    with pytest.raises(ValueError, match=f"views of your own, {name}.*views="):
        bare.fit(samples())
    again = replearn.load(tmp_path / "run", views=own)
    assert again.views is own
    np.testing.assert_array_equal(again.fit(samples()).transform(samples()), method.transform(samples()))


def test_views_that_are_stored_are_not_given(tmp_path):
    quick(SimCLR, epochs=1).fit(few_images(), run=tmp_path)
    with pytest.raises(ValueError, match="Leave views out"):
        replearn.load(tmp_path, views=Twice())


def test_a_pair_of_replearns_views_is_none_of_ones_own(tmp_path, caplog):
    """Its field is called `view` too."""
    views = Pair(replearn.views.Swap(0.3), replearn.views.Same())
    x = np.random.default_rng(0).random((16, 6)).astype("float32")
    replearn.VICReg(views=views, encoder="mlp", epochs=1, batch_size=8).fit(x, run=tmp_path / "run")
    assert "not stored" not in caplog.text
    assert replearn.load(tmp_path / "run").views == views


@pytest.mark.parametrize(
    ("cls", "views", "told"),
    [
        (MAE, Same(), "Same is a view, of which a split is made: Pair"),
        (Colorization, Grey(), "Grey is a view"),
        (MAE, Rotations(), "Rotations shows 2 samples as 8 rows"),
        (Exemplar, Rotations(), "Rotations shows 2 samples as 8 rows"),
    ],
)
def test_views_that_are_no_split_or_show_a_sample_often(cls, views, told):
    x = np.random.default_rng(0).integers(0, 256, (12, 3, 16, 16), dtype=np.uint8)
    method = cls().set_params(views=views, epochs=1, batch_size=4, device="cpu")
    with pytest.raises(ValueError, match=told):
        method.fit(x)
