"""Weights by the names of torchvision's own network, which reads them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.torch import load_file, save_file
from torch import nn

from replearn.service.exports.exported import Exported
from replearn.service.exports.networks import OTHERS, architecture, check_same, of_images, timm_encoder

WEIGHTS, CONFIG = "model.safetensors", "config.json"
LOADER = """import json

import torch
from safetensors.torch import load_file
from torchvision import models

told = json.load(open("config.json"))
net = models.get_model(told["architecture"], weights=None)
net.fc = torch.nn.Identity()
net.load_state_dict(load_file("model.safetensors"))
mean, std = (torch.tensor(told[key])[:, None, None] for key in ("mean", "std"))
h = net.eval()((x / 255 - mean) / std)"""


def write(exported: Exported, folder: Path) -> None:
    """Write the weights of a network that torchvision has, too, by the same names: `model.safetensors`.

    Raises:
        ValueError: torchvision has no such network, or one that was changed to fit small images.
    """
    encoder = timm_encoder(exported, "torchvision")
    again, name = _of_torchvision(architecture(encoder)), architecture(encoder)
    check_same(encoder.net.state_dict(), again.state_dict(), f"torchvision's {name}")
    if encoder.body.resize:  # type: ignore[union-attr]
        raise ValueError(f"torchvision's format doesn't say that images are resized; these are. {OTHERS}")
    state = {key: value.contiguous().clone() for key, value in encoder.net.state_dict().items()}
    save_file(state, folder / WEIGHTS)
    told = {"architecture": name, "mean": encoder.mean.tolist(), "std": encoder.std.tolist()}
    (folder / CONFIG).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def reopen(folder: Path) -> Callable[..., list[np.ndarray]]:
    """What torchvision makes of the folder."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    net = _of_torchvision(config["architecture"])
    net.load_state_dict(load_file(folder / WEIGHTS))
    return of_images(net.eval(), config["mean"], config["std"], None)


def _of_torchvision(name: str) -> nn.Module:
    """A network of torchvision without its classifier.

    Raises:
        ValueError: there is none of this name.
    """
    from torchvision import models

    if name not in models.list_models(module=models) or not name.startswith(("resnet", "resnext", "wide")):
        raise ValueError(
            f"torchvision's format holds its residual networks, such as resnet18; got {name}. Write it --to timm."
        )
    net: nn.Module = models.get_model(name, weights=None)
    net.fc = nn.Identity()
    return net
