"""Files of ONNX are asked as the networks that they hold: those of `replearn export`, and of others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("onnx", reason="needs replearn[export]")
pytest.importorskip("onnxruntime", reason="needs replearn[export]")

import onnx
from onnx import TensorProto, helper

import replearn
from made_texts import made_texts
from replearn.data import Batch, Samples, as_samples
from replearn.encoders import onnx_encoder

DRAW = np.random.default_rng(0)
GREY = DRAW.integers(0, 256, (12, 1, 16, 16), dtype=np.uint8)
COLOUR = DRAW.integers(0, 256, (12, 3, 16, 16), dtype=np.uint8)
TABLE = DRAW.normal(5, 3, size=(40, 6))
Shape = Sequence[int | str]


def written(path: Path, shape: Shape, *, numbers: int = TensorProto.FLOAT, operator: str = "means") -> Path:
    """A little network: the mean of each channel."""
    nodes = {
        "means": [helper.make_node("GlobalAveragePool", ["x"], ["y"])],
        "rows": [helper.make_node("Flatten", ["x"], ["y"])],
        "cube": [helper.make_node("ReduceMean", ["x"], ["y"], axes=[3], keepdims=0)],
        "floats": [
            helper.make_node("Cast", ["x"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("GlobalAveragePool", ["floats"], ["y"]),
        ],
        "one": [
            helper.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1),
            helper.make_node("GlobalAveragePool", ["m"], ["y"]),
        ],
        "two": [
            helper.make_node("ReduceMean", ["x"], ["other"], axes=[1], keepdims=0),
            helper.make_node("GlobalAveragePool", ["x"], ["maps"]),
            helper.make_node("Flatten", ["maps"], ["h"]),
        ],
    }[operator]
    told = TensorProto.FLOAT if operator == "floats" else numbers
    outputs = ["other", "h"] if operator == "two" else ["y"]
    graph = helper.make_graph(
        nodes,
        "little",
        [helper.make_tensor_value_info("x", numbers, list(shape))],
        [helper.make_tensor_value_info(name, told, None) for name in outputs],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def rows(path: Path, samples: Samples) -> np.ndarray:
    found: np.ndarray = onnx_encoder(path, samples)(samples[np.arange(len(samples))]).numpy()
    return found


@pytest.mark.all
@pytest.mark.parametrize(
    ("encoder", "data"),
    [("linear", GREY), ("mlp", TABLE), ("words", made_texts(40))],
    ids=["images", "table", "texts"],
)
def test_what_we_export_is_read_again(encoder: str, data: Any, tmp_path: Path) -> None:
    samples = as_samples(data)
    model = replearn.Distill(teacher=encoder, encoder=encoder, device="cpu").prepare(samples)
    replearn.export(model, tmp_path / "onnx", to="onnx")
    found = rows(tmp_path / "onnx" / "model.onnx", samples)
    np.testing.assert_allclose(found, model.transform(samples), rtol=1e-4, atol=1e-5)


def test_pixels_are_numbers_in_0_1(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    samples = as_samples(COLOUR)
    with caplog.at_level("INFO", "replearn"):
        found = rows(written(tmp_path / "a.onnx", ["n", 3, "h", "w"]), samples)
    np.testing.assert_allclose(found, COLOUR.mean((2, 3)) / 255, rtol=1e-5)
    assert "numbers in [0, 1]" in caplog.text


def test_a_file_that_answers_once_for_all_samples_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.onnx", ["n", 3, "h", "w"], operator="one")
    with pytest.raises(ValueError, match="a row per sample"):
        rows(path, as_samples(COLOUR))


def test_views_are_read_as_bytes_where_bytes_are_asked(tmp_path: Path) -> None:
    path = written(tmp_path / "a.onnx", ["n", 3, 16, 16], numbers=TensorProto.UINT8, operator="floats")
    encoder, batch = onnx_encoder(path, as_samples(COLOUR)), as_samples(COLOUR)[np.arange(3)]
    torch.testing.assert_close(encoder(batch), encoder(batch.floats()))
    np.testing.assert_allclose(encoder(batch), COLOUR[:3].mean((2, 3)), rtol=1e-5)


@pytest.mark.parametrize("n", [1, 3, 5])
def test_a_fixed_number_of_samples_is_kept_to(n: int, tmp_path: Path) -> None:
    found = rows(written(tmp_path / "a.onnx", [n, 3, 16, 16]), as_samples(COLOUR))
    np.testing.assert_allclose(found, COLOUR.mean((2, 3)) / 255, rtol=1e-5)


def test_images_are_resized_and_grey_ones_get_channels(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "replearn"):
        found = rows(written(tmp_path / "a.onnx", ["n", 3, 8, 8]), as_samples(GREY))
    assert (
        f"images of 16 x 16 pixels are resized to 8 x 8, the size that {tmp_path / 'a.onnx'}" in caplog.text
    )
    assert found.shape == (12, 3)
    np.testing.assert_allclose(found[:, 0], GREY.mean((1, 2, 3)) / 255, atol=0.02)
    assert np.array_equal(found[:, 0], found[:, 2])


def test_numbers_in_16_bits_are_given_so(tmp_path: Path) -> None:
    path = written(tmp_path / "a.onnx", ["n", 6], numbers=TensorProto.FLOAT16, operator="rows")
    np.testing.assert_allclose(rows(path, as_samples(TABLE)), TABLE, rtol=1e-2)


def test_the_output_of_a_known_name_is_taken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "replearn"):
        found = rows(written(tmp_path / "a.onnx", ["n", 3, 16, 16], operator="two"), as_samples(COLOUR))
    assert found.shape == (12, 3)
    assert "of its outputs other, h, h is the representation" in caplog.text


@pytest.mark.parametrize(
    ("shape", "operator", "data", "says"),
    [
        (["n", 16, 16, 3], "means", COLOUR, "channels first"),
        (["n", 4, 16, 16], "means", COLOUR, "must read samples of shape"),
        (["n", 5], "rows", TABLE, "must read samples of shape"),
        (["n", 6], "rows", COLOUR, "must read samples of shape"),
        (["n", 3, 16, 16], "cube", COLOUR, "must return floats"),
        (["n", 3, 16, 16], "means", ["a text", "another text"], "must have inputs ids and mask"),
        (["n", 3, 16, 16], "means", DRAW.integers(0, 4000, (8, 3, 16, 16), dtype=np.uint16), "levels"),
    ],
)
def test_what_does_not_fit_is_told_in_a_line(
    shape: Shape, operator: str, data: Any, says: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.onnx", shape, operator=operator)
    with pytest.raises(ValueError, match=says) as error:
        onnx_encoder(path, as_samples(data))
    assert len(str(error.value).splitlines()) == 1


def test_a_file_that_is_missing_or_broken_is_told_in_a_line(tmp_path: Path) -> None:
    samples = as_samples(GREY)
    with pytest.raises(ValueError, match="must name a file; there is no"):
        onnx_encoder(tmp_path / "none.onnx", samples)
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    with pytest.raises(ValueError, match="must name a file that onnxruntime opens") as error:
        onnx_encoder(tmp_path / "broken.onnx", samples)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.all
def test_texts_without_a_tokenizer_are_refused(tmp_path: Path) -> None:
    samples = as_samples(made_texts(40))
    model = replearn.Distill(teacher="words", encoder="words", device="cpu").prepare(samples)
    replearn.export(model, tmp_path / "onnx", to="onnx")
    (tmp_path / "onnx" / "tokenizer.json").unlink()
    with pytest.raises(ValueError, match=r"must have its tokenizer\.json beside it"):
        onnx_encoder(tmp_path / "onnx" / "model.onnx", samples)


@pytest.mark.all
@pytest.mark.filterwarnings("ignore:.*names become a column")
def test_columns_that_became_other_numbers_are_refused(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({"a": DRAW.normal(size=40), "b": ["x", "y"] * 20})
    model = replearn.Distill(teacher="mlp", encoder="mlp", device="cpu").prepare(frame)
    replearn.export(model, tmp_path / "onnx", to="onnx")
    assert onnx_encoder(tmp_path / "onnx" / "model.onnx", as_samples(frame)).dim
    with pytest.raises(ValueError, match="columns must become numbers as"):
        onnx_encoder(tmp_path / "onnx" / "model.onnx", as_samples(frame.assign(b=["y", "z"] * 20)))


def test_a_batch_is_left_where_it_is(tmp_path: Path) -> None:
    batch = as_samples(COLOUR)[np.arange(4)]
    before = batch.x.clone()
    h = onnx_encoder(written(tmp_path / "a.onnx", ["n", 3, 16, 16]), as_samples(COLOUR))(batch)
    assert isinstance(batch, Batch)
    assert torch.equal(batch.x, before)
    assert not h.requires_grad
