"""The picture of attention maps beside their images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from replearn import load_data, make_encoder
from replearn.data.samples import ArraySamples
from replearn.encoders.attention import attention_maps
from replearn.report.attention import attention_figure


def test_each_row_is_an_image_and_its_maps(tmp_path: Path) -> None:
    digits = load_data("digits", split="test")
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
