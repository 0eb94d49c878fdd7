"""The forms in which a model is exported: each is written, and opened again by what others will open it with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from replearn.service.exports import (
    huggingface_folder,
    onnx_file,
    openclip_folder,
    timm_folder,
    torch_file,
    torchvision_file,
)
from replearn.service.exports.exported import Exported, OfBytes, OfTokens, TensorSpec, exported_from
from replearn.service.exports.huggingface_folder import BARE, POOLED
from replearn.service.exports.pairs import OfPairs, pairs_from
from replearn.service.exports.tokenizer_file import ids_in

Reader = Callable[..., list[np.ndarray]]

IMAGES = """import numpy as np
from PIL import Image, ImageOps

image = ImageOps.fit(Image.open("photo.png").convert("{mode}"), ({width}, {height}), Image.Resampling.BICUBIC)
x = np.asarray(image).reshape(1, {height}, {width}, {channels}).transpose(0, 3, 1, 2)"""
TOKENS = """import numpy as np
import tokenizers

read = tokenizers.Tokenizer.from_file("tokenizer.json").encode_batch([{texts}])
ids, mask = (np.array([getattr(one, key) for one in read]) for key in ("ids", "attention_mask"))"""
NUMBERS = """import numpy as np

x = np.zeros((1, {shape}), dtype=np.float32)  # your samples"""


def nothing_told(exported: Exported, folder: Path) -> str:
    """Of a form of which all is said."""
    return ""


@dataclass(frozen=True)
class Form:
    """A form of export.

    Attributes:
        what: it is, for a reader.
        write: the module into a folder.
        reopen: what the folder answers, by the library that it is for.
        all_outputs: whether it holds all that the module tells, or the representation alone.
        ids: what the folder makes of texts, filled up to one length.
        cleaned: what it makes of a text before that.
        module: what makes the module of a fitted model, named for messages.
        told: more about what is in a folder, for a reader of its card.
    """

    what: str
    write: Callable[[Any, Path], None]
    reopen: Callable[[Path], Reader]
    all_outputs: bool = False
    ids: Callable[[Path, list[str]], list[list[int]]] = ids_in
    cleaned: Callable[[str], str] = str
    module: Callable[[Any, str], Exported] = exported_from
    told: Callable[[Any, Path], str] = nothing_told

    def outputs(self, exported: Exported) -> tuple[TensorSpec, ...]:
        """What the folder answers."""
        return exported.outputs if self.all_outputs else exported.outputs[:1]


FORMS: Mapping[str, Form] = {
    "onnx": Form("an ONNX file", onnx_file.write, onnx_file.reopen, True),
    "torch": Form("a program of torch.export", torch_file.write, torch_file.reopen, True),
    "timm": Form("a folder that timm reads", timm_folder.write, timm_folder.reopen),
    "torchvision": Form("weights for torchvision", torchvision_file.write, torchvision_file.reopen),
    "huggingface": Form(
        "a folder that sentence-transformers and transformers read",
        huggingface_folder.write,
        huggingface_folder.reopen,
        ids=huggingface_folder.ids_in,
    ),
    "openclip": Form(
        "a folder that open_clip reads",
        openclip_folder.write,
        openclip_folder.reopen,
        True,
        ids=openclip_folder.ids_in,
        cleaned=openclip_folder.cleaned,
        module=pairs_from,
        told=openclip_folder.told,
    ),
}


def loader(exported: Exported, form: str) -> str:
    """A few lines of Python that make representations of the export, without replearn and scikit-learn."""
    if isinstance(exported, OfPairs):
        return openclip_folder.loader(exported)
    if form == "huggingface":
        assert exported.texts is not None
        bare = BARE.format(pooled=POOLED[exported.texts.body.pooling])
        return f"{huggingface_folder.LOADER}\n\n# or, by transformers alone\n{bare}"
    names = [one.name for one in exported.inputs]
    if form == "onnx":
        given = ", ".join(f'"{name}": {name}' for name in names)
        return f"{_content(exported)}\n\n{onnx_file.LOADER.replace('inputs', given)}"
    if form == "torch":
        given = ", ".join(f"torch.from_numpy({name})" for name in names)
        return f"{_content(exported)}\n\n{torch_file.LOADER.replace('{inputs}', given)}"
    own = timm_folder.LOADER if form == "timm" else torchvision_file.LOADER
    return f"{_content(exported)}\n\nimport torch\n\nx = torch.from_numpy(x)\n{own}"


def _content(exported: Exported) -> str:
    """Lines that make a sample."""
    shape = exported.model.samples_.shape
    if isinstance(exported, OfTokens):
        assert exported.texts is not None
        kmers = exported.texts.vocabulary.tokenizer.kmers
        if kmers is None:
            return TOKENS.format(texts='"to be or not to be"')
        k, stride = kmers
        last = "len(s)" if stride >= k else f"max(1, len(s) - {k - 1})"
        spaced = f'" ".join(s[i : i + {k}] for i in range(0, {last}, {stride}))'
        return f's = "ACGTACGT"\n{TOKENS.format(texts=spaced)}'
    if isinstance(exported, OfBytes) and shape[0] in (1, 3):
        mode = "L" if shape[0] == 1 else "RGB"
        return IMAGES.format(mode=mode, channels=shape[0], height=shape[1], width=shape[2])
    return NUMBERS.format(shape=", ".join(map(str, shape))).replace(
        "np.float32", f"np.{exported.inputs[0].dtype}"
    )
