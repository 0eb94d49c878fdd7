"""The picture of attention maps beside their images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from replearn import load_data, make_encoder
from replearn.data.samples import ArraySamples, Samples
from replearn.encoders.attention import attention_maps
from replearn.encoders.receptive import stage_maps
from replearn.report.attention import attention_figure, stage_figure


@pytest.fixture(scope="module")
def digits() -> Samples:
    return load_data("digits", split="test")


def test_each_row_is_an_image_and_its_maps(tmp_path: Path, digits: Samples) -> None:
    encoder = make_encoder("vit_tiny_patch16_224", digits)
    index = np.array([5, 0])
    figure = attention_figure(encoder, digits, index=index)
    axes = np.array(figure.axes).reshape(2, 5)
    assert [one.get_title() for one in axes[0]] == ["image", "mean", "head 1", "head 2", "head 3"]
    maps = attention_maps(encoder, digits[index]).numpy()
    for row, own in zip(axes, maps, strict=True):
        np.testing.assert_allclose(row[1].images[0].get_array(), own.mean(0), rtol=1e-5)
        for head in range(3):
            np.testing.assert_allclose(row[2 + head].images[0].get_array(), own[head], rtol=1e-5)
    figure.savefig(tmp_path / "attention.png")
    with Image.open(tmp_path / "attention.png") as picture:
        assert picture.width > 400


def test_only_images_have_maps() -> None:
    table = ArraySamples(np.zeros((5, 4), dtype=np.float32))
    with pytest.raises(ValueError, match="attention_figure must get images"):
        attention_figure(make_encoder("mlp", table), table)


def test_maps_of_stages_stand_beside_the_images_of_every_network(digits: Samples) -> None:
    encoders = {name: make_encoder(name, digits) for name in ("cnn", "resnet_small")}
    figure = stage_figure(encoders, digits, index=np.arange(2))
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles[0] == "image"
    assert [title.split()[0] for title in titles[1:]] == ["cnn"] * 3 + ["resnet_small"] * 4
    maps = stage_maps(encoders["cnn"].eval(), digits[np.arange(2)])
    drawn = figure.axes[1].images[0].get_array()
    np.testing.assert_allclose(drawn, maps[0][0].square().sum(0).detach(), rtol=1e-5)
    assert encoders["resnet_small"].training


def test_networks_without_places_have_no_such_maps(digits: Samples) -> None:
    with pytest.raises(ValueError, match="stage_figure needs stages with places; a has none"):
        stage_figure({"a": make_encoder("mlp", digits)}, digits)
