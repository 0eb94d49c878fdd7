"""What is read of a folder of the Hugging Face libraries: two JSON files, and tensors. Nothing else in it is opened.

A stranger may have written the folder, so each part is checked before the library sees it: names lead nowhere else,
sizes fit the weights, and nothing asks for code.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from replearn.data.reasons import reason_of

CONFIG, TOKENIZER, WEIGHTS = "config.json", "tokenizer.json", "model.safetensors"
PARTS = "model.safetensors.index.json"  # stands for the weights of large models
LARGEST_FILE = 2**24  # bytes of JSON
LARGEST = 2**24  # of a whole number in a configuration: vocabulary, positions
MOST = 1024  # layers, where there are fewer tensors
COUNTED = re.compile(r"(layers?|blocks?|groups?|stages?|depth|labels|experts)$")  # of what loops are made
UNBOUNDED = re.compile(r"theta|base|_id$|_ids$")  # numbers that are no sizes
ATTENTION = (None, "eager", "sdpa")
CODE = {
    "auto_map": "code in a folder is never run",
    "custom_pipelines": "code in a folder is never run",
    "quantization_config": "quantised weights are not read",
}
PLAIN = re.compile(r"[\w.-]+\.safetensors")
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
READ = (*FLOATS, torch.int64, torch.int32, torch.bool)  # positions and masks, too


def inside(folder: Path, name: str) -> Path:
    """The file `name` of a folder.

    Raises:
        ValueError: it is a link that leads out of the folder; but a snapshot in the library's cache may be of links to
            the files beside it, `blobs`.
    """
    path = folder / name
    home, real = (Path(os.path.realpath(place)) for place in (folder, path))  # links in circles, too
    blobs = home.parent.parent / "blobs"
    if not real.is_relative_to(home) and not (home.parent.name == "snapshots" and real.parent == blobs):
        raise ValueError(
            f"files of a model must lie in its folder; {path} leads to {real}. Copy the file itself."
        )
    return path


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a small file.

    Raises:
        ValueError: there is none, or it is too long.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"it has more than {LARGEST_FILE:,} bytes")
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it is none")
    except (OSError, ValueError, RecursionError) as error:
        reason = reason_of(error)
        raise ValueError(
            f"{path} must be a JSON object; {reason}. Save the model there once more."
        ) from error
    return found


def weight_files(folder: Path) -> list[Path]:
    """The files of weights: one, or the parts that an index names.

    Raises:
        ValueError: the index names something else than a `.safetensors` file in the folder.
    """
    if (folder / WEIGHTS).is_file():
        return [inside(folder, WEIGHTS)]
    index = inside(folder, PARTS)
    map_ = read_object(index).get("weight_map")
    if not isinstance(map_, dict) or not map_:
        raise ValueError(f"{index} must have a weight_map; it has none. Save the model there once more.")
    names = sorted(set(map(str, map_.values())))
    wrong = [name for name in names if not PLAIN.fullmatch(name)]
    if wrong:
        raise ValueError(
            f"{index} must name .safetensors files of its folder, without a path; got {wrong[0]!r:.80}. "
            "Nothing else is read."
        )
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ValueError(
            f"{folder} must hold all {len(names)} parts that its index names; it lacks {missing[0]}."
        )
    return [inside(folder, name) for name in names]


def count_weights(files: list[Path]) -> tuple[int, int]:
    """How many tensors there are, and how many numbers they have, by the heads of the files.

    Raises:
        ValueError: a file is damaged.
    """
    tensors = numbers = 0
    for path in files:
        with _opened(path) as file:
            for name in list(file.keys()):
                tensors += 1
                numbers += int(torch.Size(file.get_slice(name).get_shape()).numel())
    return tensors, numbers


def read_state(files: list[Path]) -> dict[str, Tensor]:
    """All tensors.

    Raises:
        ValueError: a file is damaged, or holds numbers of few bits, or some that are not finite.
    """
    state: dict[str, Tensor] = {}
    for path in files:
        with _opened(path) as file:
            state |= {name: file.get_tensor(name) for name in list(file.keys())}
    for name, tensor in state.items():
        if tensor.dtype not in READ:
            raise ValueError(
                f"weights must be floats of 16, 32 or 64 bits; {name} in {files[0].parent} is {tensor.dtype}. Save the "
                "model in one of these."
            )
        if tensor.dtype in FLOATS and not torch.isfinite(tensor).all():
            raise ValueError(
                f"weights must be finite numbers; {name} in {files[0].parent} holds others. The file is damaged: copy "
                "it again."
            )
    return state


def check_configuration(config: dict[str, Any], where: str, *, tensors: int) -> None:
    """Raises ValueError where a network made by this would run code, ask for what is not here, or be absurdly large.

    Args:
        config: as JSON.
        where: it came from.
        tensors: how many there are in the files of weights: a layer has one at least.
    """
    if not isinstance(config.get("model_type"), str):
        raise ValueError(
            f'{where} must name the network\'s "model_type", such as "bert"; it does not. Add it to the file.'
        )
    for name, value in _entries(config):
        if name in CODE and value:
            raise ValueError(
                f"{where} must not have {name}: {CODE[name]}. Remove it if the library has this network."
            )
        if name.endswith("attn_implementation") and value not in ATTENTION and not isinstance(value, dict):
            raise ValueError(
                f"{where} must leave {name} out, or name eager or sdpa; got {value!r:.80}. No other kernel is used."
            )
        if isinstance(value, bool) or not isinstance(value, int | float) or UNBOUNDED.search(name):
            continue
        most = max(tensors, MOST) if COUNTED.search(name) else LARGEST
        if not abs(value) <= most:
            raise ValueError(
                f"{where} must have sizes that fit its {tensors:,} tensors; {name} is {value!r:.40}, and {most:,} is "
                "the most. The file is damaged."
            )


def _entries(value: Any, name: str = "") -> list[tuple[str, Any]]:
    """Each entry of JSON, however deep, with the name that is nearest above it."""
    own = [(name, value)] if name else []
    if isinstance(value, dict):
        return [*own, *(entry for key, inner in value.items() for entry in _entries(inner, str(key)))]
    if isinstance(value, list):
        return [*own, *(entry for inner in value for entry in _entries(inner, name))]
    return own


def _opened(path: Path) -> Any:
    try:
        return safe_open(path, "pt")
    except (SafetensorError, OSError, ValueError, OverflowError) as error:
        reason = reason_of(error)
        raise ValueError(
            f"{path} must be a whole safetensors file; it is not ({reason}). Copy it again."
        ) from error
