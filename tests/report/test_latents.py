"""The pictures of a code are of what they say, and the section stands only where it was asked for."""

import io
import re
from base64 import b64decode
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from rich.console import Console
from sklearn.decomposition import PCA
from torch import nn

from replearn import Autoencoder, SimCLR, load_data
from replearn.comparison import Comparison, Representation
from replearn.data import ArraySamples
from replearn.encoders import CNN, Conv, make_encoder
from replearn.encoders.receptive import ReceptiveFields, stage_maps
from replearn.evaluate import latent_scores
from replearn.methods.inside import decoder_of, divergences_of, layers_of
from replearn.report import (
    excitement_figure,
    interpolation_figure,
    manifold_figure,
    print_latents,
    traversal_figure,
)
from replearn.report.excitement import layer_strips, strongest
from replearn.report.interpolations import draw_ends, interpolation_strips
from replearn.report.latents import code_panel, latent_table
from replearn.report.page import render
from replearn.report.pictures import drawn, joined_up, of_samples
from replearn.report.traversals import traversal_strips

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def digits():
    return load_data("digits8x8", split="test").subset(np.arange(60))


@pytest.fixture(scope="module")
def untrained(digits):
    return Autoencoder(encoder="cnn", dim=2, batch_size=32, device="cpu").prepare(digits)


def with_codes(made: Comparison) -> Comparison:
    """A comparison of PCA whose code was judged."""
    pca = PCA(2).fit(made.train.flat())
    rows = [
        row
        if row.method is None
        else Representation(row.name, *(pca.transform(p.flat()) for p in (made.train, made.test)), pca)
        for row in made.rows
    ]
    scores = [
        latent_scores(row.train, row.test, test_labels=made.test.labels).assign(
            representation=row.name, seed=0
        )
        for row in rows
    ]
    return replace(made, rows=rows, scores=pd.concat([made.scores, *scores], ignore_index=True))


# Inside a method


def test_decoders_of_both_kinds(digits, untrained):
    pca = PCA(3).fit(digits.flat())
    codes = pca.transform(digits.flat())
    decode = decoder_of(pca, digits.shape)
    assert decode is not None
    np.testing.assert_allclose(
        decode(codes).reshape(60, -1), pca.inverse_transform(codes), rtol=1e-4, atol=1e-5
    )
    before = {name: value.clone() for name, value in untrained.decoder_.state_dict().items()}
    own = decoder_of(untrained, digits.shape)
    assert own is not None
    codes = untrained.transform(digits)
    np.testing.assert_allclose(own(codes)[:5], own(codes[:5]), rtol=1e-4, atol=1e-5)
    assert all(torch.equal(before[name], value) for name, value in untrained.decoder_.state_dict().items())
    assert decoder_of(SimCLR(), digits.shape) is None
    wrong = decoder_of(pca, (1, 3, 3))
    assert wrong is not None
    with pytest.raises(ValueError, match="must return samples of shape"):
        wrong(codes[:, :1].repeat(3, 1))


def test_layers_of_a_method(digits, untrained):
    layers = layers_of(untrained, digits)
    assert [layer.shape for layer in layers] == [(60, 32), (60, 64), (60, 128)]
    modes = [module.training for module in untrained.encoder_.modules()]
    assert all(modes)  # as they were
    untrained.encoder_.eval()
    with torch.no_grad():
        direct = untrained.encoder_.layers(digits[np.arange(4)])
    untrained.encoder_.train()
    np.testing.assert_allclose(layers[1][:4], direct[1].numpy(), rtol=2e-2, atol=2e-2)
    assert layers_of(PCA(2), digits) == []
    assert divergences_of(untrained, digits) is None


def test_a_broken_layer_is_no_missing_layer(digits, untrained):
    """What a middle layer returns can be broken where the last is not: only "it has none" means none."""
    broken = deepcopy(untrained)
    last = broken.encoder_.body.stages[-1]
    broken.encoder_.body.stages[-1] = nn.Sequential(Zeros(), last)
    with torch.no_grad():
        next(broken.encoder_.body.stages[1].parameters()).fill_(torch.nan)
    assert np.isfinite(broken.transform(digits)).all()
    with pytest.raises(ValueError, match=r"representations must be finite.*Weights are broken"):
        layers_of(broken, digits)

    class Failing(nn.Module):
        def layers(self, x):
            raise ValueError("something else")

    broken.encoder_.body = Failing()
    with pytest.raises(ValueError, match="something else"):
        layers_of(broken, digits)


class Zeros(nn.Module):
    """Whatever comes, zeros."""

    def forward(self, x):
        return torch.zeros_like(x)


# Receptive fields


@pytest.mark.parametrize("name", ["cnn", "conv", "resnet_small"])
def test_a_unit_depends_on_its_receptive_field_and_on_nothing_else(name, digits):
    samples = ArraySamples(np.random.default_rng(0).uniform(size=(1, 1, 40, 40)).astype(np.float32))
    encoder = make_encoder(name, samples).eval()
    image = samples[np.arange(1)].x
    for stage, found in enumerate(stage_maps(encoder, samples[np.arange(1)])[:2]):
        fields = ReceptiveFields(encoder.body, stage, (1, 40, 40))
        row, column = found.shape[2] // 2, 1
        top, left, bottom, right = fields.at(row, column)
        inside = torch.zeros_like(image)
        inside[:, :, top:bottom, left:right] = 1
        for mask, changes in ((inside, True), (1 - inside, False)):
            other = stage_maps(encoder, samples[np.arange(1)].with_x(image + mask * torch.rand_like(image)))
            same = torch.equal(other[stage][0, :, row, column], found[0, :, row, column])
            assert same != changes
        assert fields.cut(image[0], row, column).shape[1:] == fields.side


def test_receptive_fields_as_counted_by_hand():
    fields = ReceptiveFields(CNN(1), 1, (1, 16, 16))  # 3 x 3 at full size, then 3 x 3 by steps of 2: 5 pixels
    assert fields.side == (5, 5)
    assert fields.at(3, 4) == (4, 6, 9, 11)
    image = torch.arange(256.0).view(1, 16, 16)
    cut = fields.cut(image, 0, 3)  # two rows lie above the image
    assert (cut[:, :2] == 0).all()
    torch.testing.assert_close(cut[:, 2:], image[:, 0:3, 4:9])
    assert ReceptiveFields(Conv((1, 16, 16)), 1, (1, 16, 16)).side == (5, 5)


def test_strips_show_the_strongest_answers_where_they_are(digits, untrained):
    answers, places = strongest(untrained.encoder_, digits)[0]
    assert places is not None
    with torch.no_grad():
        untrained.encoder_.eval()
        maps = stage_maps(untrained.encoder_, digits[np.arange(60)])[0].numpy()
        untrained.encoder_.train()
    np.testing.assert_allclose(answers, maps.max(axis=(2, 3)), rtol=1e-5)
    at = places[7, 3]
    assert maps[7, 3, at[0], at[1]] == pytest.approx(answers[7, 3])
    layers = layer_strips(untrained, digits, units=2, shown=5)
    assert [len(strips) for strips in layers] == [2, 2, 2]
    assert layers[0][0].pictures.shape == (5, 24, 24, 1)  # 3 pixels, each 8 wide
    assert layer_strips(PCA(2), digits) == []


# Strips and figures


def test_the_ends_of_interpolations_are_the_samples(digits):
    pca = PCA(60).fit(digits.flat())
    codes = pca.transform(digits.flat())
    decode = decoder_of(pca, digits.shape)
    assert decode is not None
    ends = draw_ends(digits, 3)
    assert all(digits.labels[a] != digits.labels[b] for a, b in ends)
    for pair, strips in zip(ends, interpolation_strips(decode, digits, codes, ends), strict=True):
        assert [strip.name for strip in strips] == ["pixels", "code, straight", "code, arc"]
        real = of_samples(digits, np.asarray(pair)).astype(int)
        for strip in strips:
            shown = strip.pictures.astype(int)
            np.testing.assert_array_equal(shown[[0, -1]], real)
            assert np.abs(shown[[1, -2]] - real).max() < 12  # 60 of 64 components
        straight, mixed = (strips[i].pictures.astype(int) for i in (1, 0))
        assert np.abs(straight[1:-1] - mixed[1:-1]).max() < 12  # a linear code mixes pixels


def test_traversals_are_named_and_ordered():
    codes = np.random.default_rng(0).normal(size=(40, 3)) * [1, 4, 2]
    strips = traversal_strips(lambda z: np.tile(z[:, :1, None, None], (1, 1, 4, 4)), codes, units=2)
    assert [strip.name.split(":")[0] for strip in strips] == ["2", "3"]
    assert "variance" in strips[0].name
    told = traversal_strips(
        lambda z: np.zeros((len(z), 1, 4, 4)), codes, divergences=np.array([3.0, 0.0, 1.0])
    )
    assert [strip.name for strip in told] == ["1: KL 3", "3: KL 1", "2: KL 0"]


def test_gaps_are_transparent():
    whole = joined_up([drawn(np.ones((3, 1, 40, 40)))])
    assert whole.shape == (40, 3 * 42 - 2, 4)
    assert (whole[:, 40:42, 3] == 0).all()
    assert (whole[:, :40] == 255).all()


def test_figures_are_drawn(digits, untrained, tmp_path):
    figures = [
        interpolation_figure(untrained, digits, pairs=2),
        traversal_figure(untrained, digits, units=2),
        manifold_figure(untrained, digits, side=4),
        excitement_figure(untrained, digits, layer=2, units=3),
    ]
    for i, figure in enumerate(figures):
        figure.savefig(tmp_path / f"{i}.png")
    assert [len(figure.axes) for figure in figures] == [6, 2, 1, 3]
    with pytest.raises(ValueError, match="SimCLR has no inverse_transform"):
        interpolation_figure(SimCLR(), digits)
    with pytest.raises(ValueError, match="must get images; got samples of kind table"):
        traversal_figure(PCA(2), ArraySamples(np.zeros((4, 3), np.float32)))
    with pytest.raises(ValueError, match="layer must lie between 1 and the 3"):
        excitement_figure(untrained, digits, layer=4)


# The section


def test_the_section_stands_where_it_was_asked_for(make_comparison: Make):
    made = make_comparison()
    assert code_panel(made) is None
    assert latent_table(made.scores) is None
    assert 'id="code"' not in render(made, title="t")
    text = render(with_codes(made), title="t")
    sections = re.findall(r'<section id="([\w-]+)"', text)
    assert sections[sections.index("neighbours") :] == ["neighbours", "code", "spectrum", "run"]
    assert 'href="#code"' in text
    pictures = re.findall(r'<img[^>]* src="data:image/png;base64,([^"]+)"', text)
    assert len(pictures) == 2 + 12 + 2 + 1
    for picture in pictures:
        assert Image.open(io.BytesIO(b64decode(picture))).mode == "RGBA"
    assert text == render(with_codes(make_comparison()), title="t")


@pytest.mark.parametrize("options", [{"shape": (5,)}, {"labelled": False}, {"shape": (3, 9, 4)}, {"n": 5}])
def test_all_kinds_of_samples(options: dict[str, Any], make_comparison: Make):
    made = with_codes(make_comparison(**options))
    text = render(made, title="t")
    assert 'id="code"' in text
    assert ("What lies between" in text) == (len(made.train.shape) == 3)


def test_names_stay_texts(make_comparison: Make):
    hostile = "<script>alert(1)</script>"
    text = render(with_codes(make_comparison(rows=("raw input", hostile))), title="t")
    assert hostile not in text
    assert "&lt;script&gt;alert(1)" in text


def test_the_table_fits_a_terminal(make_comparison: Make):
    made = with_codes(make_comparison())
    raw, pca = (made.scores[made.scores.representation == name] for name in ("raw input", "pca"))
    names = ("untrained encoder", "bag of visual words")  # the rows that there are beside these two
    four = [raw, *(raw.assign(representation=name) for name in names)]
    four.append(pca.assign(representation="MiniBatchDictionaryLearning"))
    console = Console(width=80, record=True, file=io.StringIO())
    print_latents(pd.concat(four, ignore_index=True), console=console)
    text = console.export_text()
    assert "population sparseness" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    print_latents(make_comparison().scores, console=console)
    assert console.export_text() == ""
