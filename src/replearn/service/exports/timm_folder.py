"""A folder that timm reads: `timm.create_model("local-dir:FOLDER", pretrained=True)`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from replearn.service.exports.exported import Exported
from replearn.service.exports.networks import architecture, check_same, of_images, timm_encoder

LOADER = """import timm

net = timm.create_model("local-dir:.", pretrained=True, num_classes=0).eval()
mean, std = (torch.tensor(net.pretrained_cfg[key])[:, None, None] for key in ("mean", "std"))
h = net((x / 255 - mean) / std)"""


def write(exported: Exported, folder: Path) -> None:
    """Write a network of timm as `config.json` and `model.safetensors`, as timm's `save_for_hf` does.

    Raises:
        ValueError: the network is none of timm's, or one that was changed to fit small images.
    """
    import timm
    from timm.models import save_for_hf

    encoder = timm_encoder(exported, "timm")
    net, name = encoder.net, architecture(encoder)
    body: Any = encoder.body
    size = list(body.resize or exported.model.samples_.shape[1:])
    arguments: dict[str, Any] = {"in_chans": exported.model.samples_.shape[0]}
    embed = getattr(net, "patch_embed", None)
    if embed is not None:
        arguments |= {"img_size": size, "dynamic_img_size": True}
        if hasattr(embed, "patch_size"):
            arguments["patch_size"] = int(embed.patch_size[0])
    arguments = _taken(name, arguments)
    again: Any = timm.create_model(name, pretrained=False, num_classes=0, **arguments)
    check_same(net.state_dict(), again.state_dict(), f"timm's {name}")
    config = {
        "input_size": [arguments["in_chans"], *size],
        "mean": encoder.mean.tolist(),
        "std": encoder.std.tolist(),
        "interpolation": "bilinear",
        "crop_pct": 1.0,
        "num_classes": 0,
    }
    again.load_state_dict(net.state_dict())
    again.pretrained_cfg = {**dict(again.pretrained_cfg or {}), **config}
    save_for_hf(again, str(folder), model_args=arguments, safe_serialization=True)


def reopen(folder: Path) -> Callable[..., list[np.ndarray]]:
    """What timm makes of the folder."""
    import timm

    net: Any = timm.create_model(f"local-dir:{folder.absolute()}", pretrained=True, num_classes=0).eval()
    config = net.pretrained_cfg
    return of_images(net, config["mean"], config["std"], tuple(config["input_size"][1:]))


def _taken(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Those of the arguments that timm's network takes."""
    import timm

    for leave in ((), ("dynamic_img_size",), ("dynamic_img_size", "patch_size"), (*arguments,)[1:]):
        some = {key: value for key, value in arguments.items() if key not in leave}
        try:
            with torch.device("meta"):
                timm.create_model(name, pretrained=False, num_classes=0, **some)
        except TypeError:
            continue
        return some
    return arguments
