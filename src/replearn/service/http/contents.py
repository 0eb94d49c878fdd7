"""From what a request holds to what a run reads. No string of a request is ever taken for a path.

texts    strings
images   files of images, in base64
others   nested lists of numbers, each of a sample's shape; rows of a table also as objects, by column
"""

import base64
import binascii
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Num

from replearn.data import Batch, Description, Samples, TextSamples
from replearn.data.arrays import resized
from replearn.data.decode import read_image
from replearn.data.image_files import UndecodableError
from replearn.data.kinds import KINDS, PIXELS, WORDS
from replearn.data.kinds.base import BatchSamples
from replearn.data.labels import UNLABELLED
from replearn.data.levels import SIXTEEN_BITS
from replearn.data.table_reading import read_frame
from replearn.encoders.kinds import NETWORKS

LONGEST = 1_000_000  # characters of a text

Content = list[str] | Num[np.ndarray, "n ..."]


def check_servable(known: Description) -> None:
    """Raises ValueError where requests can't hold such samples."""
    words = WORDS in KINDS[known.kind].offers
    tensors = isinstance(NETWORKS[known.kind].content(known, 1, torch.device("cpu")), torch.Tensor)
    other = known.members or known.levels is not None or (words and known.kind != TextSamples.kind)
    if other or not (tensors or words):
        of = f"{KINDS[known.kind].plural}{' of levels' if known.levels is not None else ''}"
        raise ValueError(
            f"a server reads texts, images of bytes and rows of numbers; this run reads {of}. `replearn embed` writes "
            "their representations."
        )


def read_inputs(inputs: Sequence[Any], known: Description) -> Content:
    """What a request's `inputs` are for a run.

    Raises:
        ValueError: they are not as they must be; which, and why.
    """
    room = KINDS[known.kind]
    if WORDS in room.offers:
        return [_text(one, i) for i, one in enumerate(inputs)]
    if PIXELS in room.offers:
        return np.stack([_image(one, i, known.shape) for i, one in enumerate(inputs)])
    if known.reading is not None and all(isinstance(one, dict) for one in inputs):
        return _rows(inputs, known)
    return _numbers(inputs, known.shape, bounded=room.bounded)


def samples_of(contents: Sequence[Content], known: Description) -> Samples:
    """Samples of the contents of several requests."""
    if WORDS in KINDS[known.kind].offers:
        return TextSamples([str(text) for content in contents for text in content])
    x = torch.from_numpy(np.concatenate([np.asarray(content) for content in contents]))
    index = torch.arange(len(x))
    return BatchSamples(Batch(x, torch.full_like(index, UNLABELLED), index), known)


def _text(one: Any, place: int) -> str:
    if not isinstance(one, str) or len(one) > LONGEST:
        raise ValueError(f"inputs must be texts of at most {LONGEST:,} characters; number {place} is none.")
    return one


def _image(one: Any, place: int, shape: tuple[int, ...]) -> np.ndarray:
    """An image of the run's size and channels, as bytes."""
    channels, height, width = shape
    try:
        if not isinstance(one, str):
            raise ValueError("no string")
        file = base64.b64decode(one, validate=True)
        size = height if height == width else None
        image = read_image(io.BytesIO(file), size=size, grey=channels == 1, levels=SIXTEEN_BITS)
    except (binascii.Error, UndecodableError, ValueError) as error:
        raise ValueError(
            f"inputs must be files of images in base64; number {place} is none ({error!s:.80})."
        ) from error
    if image.shape[0] != channels:
        raise ValueError(f"images of {channels} channels are no files; number {place} can't be read as one.")
    if image.shape[1:] != (height, width):
        image = resized(image[None], (height, width))[0]
    return image


def _numbers(inputs: Sequence[Any], shape: tuple[int, ...], *, bounded: bool) -> np.ndarray:
    try:
        x = np.asarray(inputs, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"inputs must be lists of numbers of shape {list(shape)}; they are not.") from error
    if x.shape[1:] != shape or not np.isfinite(x).all():
        raise ValueError(
            f"inputs must be finite numbers of shape {list(shape)} each; got {list(x.shape[1:])}."
        )
    if bounded and (x.min() < 0 or x.max() > 1):
        raise ValueError(
            f"inputs must lie in [0, 1]; got {x.min():g} to {x.max():g}. Divide by the largest level."
        )
    return x


def _rows(inputs: Sequence[Any], known: Description) -> np.ndarray:
    """Rows of a table, by column."""
    assert known.reading is not None
    plain = (str, int, float, bool, type(None))
    if not all(isinstance(value, plain) for one in inputs for value in one.values()):
        raise ValueError("columns of a row must be numbers, names or null; got others.")
    frame = pd.DataFrame(list(inputs))
    return read_frame(frame, known.reading, origin="a request")[0]
