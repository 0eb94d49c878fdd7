"""Networks in files of ONNX, which onnxruntime computes: they are asked, and not trained.

bytes (n, c, h, w), or numbers (n, ...)  --as the one input takes them--> onnxruntime --> h (n, d)
texts --tokenizer.json beside the file--> ids, mask (n, t) -------------/
"""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data.content import floats_of
from replearn.data.kinds import KINDS, PIXELS, WORDS
from replearn.data.needed import needed
from replearn.data.samples import Batch
from replearn.data.text import Texts
from replearn.data.tokenizer import read_tokenizer
from replearn.data.told import tell_resized
from replearn.encoders.base import Described, Encoder
from replearn.encoders.text import TextEncoder
from replearn.encoders.vocabulary import Tokens, Vocabulary

log = logging.getLogger("replearn")

ONNX = "onnx:"
TOKENIZER, SIGNATURE = "tokenizer.json", "signature.json"
NUMBERS = {
    "tensor(uint8)": np.uint8,
    "tensor(float16)": np.float16,
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
}
# Inputs of networks of texts: as `replearn export` names them, and as Hugging Face's Optimum does.
IDS, MASKS, TYPES = ("ids", "input_ids"), ("mask", "attention_mask"), ("token_type_ids",)
ROWS = ("h", "sentence_embedding")  # outputs that are known to be one row per sample
LONGEST = 512  # tokens, where the tokenizer doesn't say


class OnnxBody(nn.Module):
    """A file of ONNX as a module without weights.

    Args:
        path: of the file.

    Raises:
        ValueError: onnxruntime is not installed, or can't open the file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        library = the_library()
        options = library.SessionOptions()
        options.log_severity_level = 3  # errors
        options.intra_op_num_threads = torch.get_num_threads()
        try:
            self.session = library.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library raises classes of its own
            reason = " ".join(str(error).split())
            raise ValueError(
                f"{ONNX} must name a file that onnxruntime opens; got {path} ({reason:.150})."
            ) from error
        self.inputs: dict[str, Any] = {one.name: one for one in self.session.get_inputs()}
        self.output: str | None = None  # None: not known yet
        self.own = "replearn" in self.session.get_modelmeta().custom_metadata_map

    def forward(self, inputs: dict[str, Tensor]) -> Float[Tensor, "n d"]:
        """One row per sample, for each input by name."""
        device = next(iter(inputs.values())).device
        arrays = {name: x.detach().cpu().numpy() for name, x in inputs.items()}
        n, at_once = len(next(iter(arrays.values()))), self._fixed_batch()
        if at_once is None:
            return self._rows(arrays).to(device)
        parts = [
            self._rows({name: _filled(x[i : i + at_once], at_once) for name, x in arrays.items()})
            for i in range(0, n, at_once)
        ]
        return torch.cat(parts)[:n].to(device)  # (n, d)

    def choose_output(self, inputs: dict[str, Tensor]) -> int:
        """Find the output that is the representation, by asking for some samples; its width.

        Raises:
            ValueError: none is, or the file does not read such samples.
        """
        names = [one.name for one in self.session.get_outputs()]
        found = dict(zip(names, self._asked(inputs), strict=True))
        rows = [name for name, x in found.items() if x.ndim in (2, 4) and x.dtype.kind == "f"]
        known = [name for name in ROWS if name in rows] or rows
        if not known:
            shapes = ", ".join(f"{name} {x.dtype} {x.shape}" for name, x in found.items())
            raise ValueError(
                f"an ONNX file must return floats (n, d), or maps (n, d, h, w); {self.path} returns {shapes}. Export "
                "the network with its pooling."
            )
        self.output = known[0]
        if len(names) > 1:
            log.info(
                "%s: of its outputs %s, %s is the representation", self.path, ", ".join(names), self.output
            )
        return int(found[self.output].shape[1])

    def _asked(self, inputs: dict[str, Tensor]) -> list[np.ndarray]:
        arrays, at_once = {name: x.cpu().numpy() for name, x in inputs.items()}, self._fixed_batch()
        if at_once is not None:
            arrays = {name: _filled(x[:at_once], at_once) for name, x in arrays.items()}
        try:
            found: list[np.ndarray] = self.session.run(None, arrays)
        except Exception as error:  # the library raises classes of its own
            told = ", ".join(f"{name} {x.dtype} {x.shape}" for name, x in arrays.items())
            reason = " ".join(str(error).split())
            raise ValueError(
                f"an ONNX file must read such samples; {self.path} stops at {told} ({reason:.150})."
            ) from error
        return found

    def _rows(self, arrays: dict[str, np.ndarray]) -> Tensor:
        found = torch.from_numpy(self.session.run([self.output], arrays)[0]).float()
        n = len(next(iter(arrays.values())))
        if len(found) != n:
            raise ValueError(
                f"an ONNX file must answer with a row per sample; {self.path} gives {len(found)} for {n}. Export the "
                "network with a batch of any size."
            )
        return found.mean((2, 3)) if found.ndim == 4 else found  # (n, d)

    def _fixed_batch(self) -> int | None:
        """How many samples the file reads at a time; None: any number."""
        first = next(iter(self.inputs.values())).shape[0]
        return first if isinstance(first, int) and first > 0 else None


class OnnxNumbers(Encoder):
    """A file of ONNX with one input of numbers, as an encoder.

    Args:
        body: the file.
        samples: like those that it reads.

    Raises:
        ValueError: it does not read them.
    """

    def __init__(self, body: OnnxBody, samples: Described) -> None:
        super().__init__(body, dim=0, mean=torch.zeros(1), std=torch.ones(1))
        self.name, one = next(iter(body.inputs.items()))
        self.dtype, self.asked, self.pixels = one.type, tuple(one.shape), PIXELS in KINDS[samples.kind].offers
        self._check(body.path, samples)
        self.dim = body.choose_output(self.standardise(torch.zeros(2, *samples.shape)))
        if self.pixels:
            tell_resized(samples.shape[1:], self._size(), body.path)
        if self.pixels and self.dtype != "tensor(uint8)" and not body.own:
            log.info(
                "%s is given pixels as numbers in [0, 1]: what else scales them must be part of it", body.path
            )

    def standardise(self, batch: Any) -> dict[str, Tensor]:
        """The one input: bytes or numbers, of the size and with the channels that the file reads."""
        x: Tensor = floats_of(batch.x if isinstance(batch, Batch) else batch)
        if x.ndim == 4 and self.asked[1] == 3 and x.shape[1] == 1:
            x = x.expand(-1, 3, -1, -1)  # grey
        if x.ndim == 4 and (size := self._size()) and x.shape[2:] != size:
            x = F.interpolate(x, size, mode="bilinear", antialias=True)  # (n, c, *size)
        if self.dtype == "tensor(uint8)":
            return {self.name: (255 * x).round().clamp(0, 255).to(torch.uint8)}
        return {self.name: x.to(torch.from_numpy(np.zeros(0, NUMBERS[self.dtype])).dtype)}

    def _size(self) -> tuple[int, ...] | None:
        sides = self.asked[2:]
        return sides if all(isinstance(side, int) for side in sides) else None

    def _check(self, path: Path, samples: Described) -> None:
        axes, wanted = len(self.asked), (samples.shape[0], *samples.shape[1:])
        fits = axes == len(wanted) + 1 and (
            not isinstance(self.asked[1], int)
            or self.asked[1] == wanted[0]
            or (self.asked[1], wanted[0]) == (3, 1)
        )
        if axes != 4:
            fits = fits and all(
                not isinstance(a, int) or a == b for a, b in zip(self.asked[1:], wanted, strict=True)
            )
        bytes_of_others = self.dtype == "tensor(uint8)" and not self.pixels
        if self.dtype not in NUMBERS or not fits or bytes_of_others:
            raise ValueError(
                f"an ONNX file must read samples of shape {('n', *wanted)}, as bytes or floats with channels first; "
                f"{path} reads {self.name}, {self.dtype} of shape {self.asked}. Export it for samples like these."
            )


class OnnxTexts(TextEncoder):
    """A file of ONNX that reads ids of tokens and where texts end, with its tokenizer beside it.

    Args:
        body: the file.

    Raises:
        ValueError: there is no tokenizer.
    """

    def __init__(self, body: OnnxBody) -> None:
        Encoder.__init__(self, body, dim=0, mean=torch.zeros(1), std=torch.ones(1))
        file = body.path.parent / TOKENIZER
        if not file.is_file():
            raise ValueError(
                f"an ONNX file of texts must have its {TOKENIZER} beside it; there is no {file}."
            )
        self.vocabulary, self.names = Vocabulary(read_tokenizer(file)), tuple(body.inputs)
        told = json.loads(file.read_text(encoding="utf-8")).get("truncation")
        self.longest = int(told["max_length"]) if told else LONGEST
        texts = Batch(Texts(["a", "a b"]), torch.zeros(2, dtype=torch.int64), torch.arange(2))
        self.dim = body.choose_output(self.standardise(texts))

    @property
    def length(self) -> int:
        """Tokens of a text that are read at most."""
        return self.longest

    def standardise(self, batch: Any) -> dict[str, Tensor]:  # type: ignore[override]
        """The inputs by their names."""
        tokens: Tokens = self.vocabulary.read(batch, self.length)
        told = dict.fromkeys(IDS, tokens.ids) | dict.fromkeys(MASKS, tokens.mask.long())
        told |= dict.fromkeys(TYPES, torch.zeros_like(tokens.ids))
        return {name: told[name] for name in self.names}


def onnx_encoder(path: Path, samples: Described) -> Encoder:
    """The network in a file of ONNX, for samples like these: as `replearn export --to onnx` writes it, or another.

    Of others, images are read by one input with channels first, bytes or floats in [0, 1], of any size or resized to
    its own; texts by ids and mask, with a `tokenizer.json` beside it; other samples as floats of their shape.

    Raises:
        ValueError: there is no such file, or it reads other samples.
    """
    if not path.is_file():
        raise ValueError(
            f"{ONNX} must name a file; there is no {path}. `replearn export --to onnx` writes one."
        )
    if samples.kind not in KINDS or (getattr(samples, "levels", None) is not None):
        raise ValueError(f"an ONNX file is not asked about images of levels; {path} would get other numbers.")
    body = OnnxBody(path)
    _check_columns(path, samples)
    if WORDS in KINDS[samples.kind].offers:
        unknown = sorted(body.inputs.keys() - {*IDS, *MASKS, *TYPES})
        if unknown:
            raise ValueError(
                f"an ONNX file of texts must have inputs {IDS[0]} and {MASKS[0]} (or {IDS[1]}, {MASKS[1]}, "
                f"{TYPES[0]}); {path} has {', '.join(unknown)}."
            )
        return OnnxTexts(body).eval()
    if len(body.inputs) != 1:
        raise ValueError(f"an ONNX file must have one input; {path} has {', '.join(body.inputs)}.")
    return OnnxNumbers(body, samples).eval()


def _check_columns(path: Path, samples: Described) -> None:
    """Raises ValueError where the file was exported for a table whose columns became other numbers."""
    file, reading = path.parent / SIGNATURE, getattr(samples, "reading", None)
    if reading is None or not file.is_file():
        return
    told = json.loads(file.read_text(encoding="utf-8")).get("columns")
    if told is not None and told != json.loads(json.dumps(reading.to_json())):
        raise ValueError(
            f"columns must become numbers as {file} says; these do so otherwise. Give the run itself in place of its "
            "export."
        )


def the_library() -> Any:
    """The package onnxruntime.

    Raises:
        ValueError: it is not installed.
    """
    return needed("onnxruntime", "a file of ONNX needs")


def _filled(x: np.ndarray, n: int) -> np.ndarray:
    """The first rows, and the last one again until there are n."""
    return x if len(x) == n else np.concatenate([x, np.repeat(x[-1:], n - len(x), axis=0)])
