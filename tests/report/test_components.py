"""Pictures of components and reconstructions show the numbers that they are given."""

import io

import numpy as np
import pytest
from PIL import Image

from replearn.report.components import components_figure, reconstruction_figure


def sheet(figure, at=0):
    return np.asarray(figure.axes[at].images[0].get_array())


def test_atoms_of_both_signs_are_red_and_blue_about_white():
    atoms = np.zeros((3, 4, 4))
    atoms[0, 0, 0], atoms[0, 3, 3], atoms[1, 1, 1] = 2.0, -2.0, 0.5
    shown = sheet(components_figure(atoms, columns=3))  # (4, 14, 3)
    assert shown.shape == (4, 14, 3)
    red, blue = shown[0, 0], shown[3, 3]
    assert red[0] > 0.6 > red[2]
    assert blue[2] > 0.5 > blue[0]
    np.testing.assert_array_equal(shown[1, 1], [1, 1, 1])
    np.testing.assert_allclose(shown[1, 6], red)  # each atom has its own scale
    np.testing.assert_array_equal(shown[:, 10:].reshape(-1, 3), 1)  # an empty atom
    alike = sheet(components_figure(atoms, columns=3, alike=True))
    assert alike[1, 6, 1] > red[1] + 0.5


def test_atoms_without_a_sign_are_grey_also_with_the_noise_of_rounding():
    centres = np.random.default_rng(0).random((5, 16))
    centres[0, 0] = -1e-9
    shown = sheet(components_figure(centres, shape=(4, 4), columns=5))
    np.testing.assert_array_equal(shown[:, :4, 0], shown[:, :4, 2])
    assert np.corrcoef(shown[:, :4, 0].ravel(), centres[0])[0, 1] > 0.99


def test_rows_and_columns_and_colours():
    atoms = np.random.default_rng(0).normal(size=(7, 3, 5, 6))
    figure = components_figure(atoms, columns=4, title="cost $5$\nof atoms")
    shown = sheet(figure)
    assert shown.shape == (2 * 5 + 1, 4 * 6 + 3, 3)
    np.testing.assert_array_equal(shown[6:, 21:], 1)  # no eighth atom
    file = io.BytesIO()
    figure.savefig(file, format="png")
    assert Image.open(file).size[0] > 100


def test_reconstructions_come_below_their_originals_with_their_error():
    originals = np.random.default_rng(0).random((4, 1, 6, 6))
    figure = reconstruction_figure(originals, {"twice": 2 * originals, "same": originals.reshape(4, -1)})
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels == [
        "original",
        f"twice\nerror {np.square(originals).sum((1, 2, 3)).mean():.3g}",
        "same\nerror 0",
    ]
    np.testing.assert_array_equal(sheet(figure, 0), sheet(figure, 2))
    np.testing.assert_allclose(sheet(figure, 1)[:, :6], np.minimum(2 * sheet(figure, 0)[:, :6], 1))


@pytest.mark.parametrize(
    "call",
    [
        lambda: components_figure(np.zeros((4, 9))),
        lambda: components_figure(np.zeros((4, 9)), shape=(2, 4)),
        lambda: components_figure(np.zeros((0, 3, 3))),
        lambda: components_figure(np.zeros((2, 2, 3, 3))),
        lambda: reconstruction_figure(np.zeros((2, 3, 3)), {"pca": np.zeros((3, 3, 3))}),
        lambda: reconstruction_figure(np.zeros((2, 3, 3)), {"pca": np.zeros((2, 4, 4))}),
    ],
)
def test_what_is_no_picture_is_refused_in_one_line(call):
    with pytest.raises(ValueError, match="must") as error:
        call()
    assert len(str(error.value).splitlines()) == 1
