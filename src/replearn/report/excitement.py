"""Pictures of what excites units most, layer by layer: what they see of an image, where that can be told."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.figure import Figure

from replearn.data import Samples
from replearn.data.content import as_float
from replearn.encoders import Encoder
from replearn.encoders.modes import evaluating
from replearn.encoders.receptive import ReceptiveFields, stage_maps
from replearn.encoders.stages import Stages
from replearn.evaluate.units import telling_units, top_samples
from replearn.methods.inside import encoder_of, layers_of
from replearn.report.appearance import has_pixels
from replearn.report.pictures import SMALL, Strip, drawn, of_samples, strips_figure

UNITS, SHOWN = 6, 9
SAMPLES = 1000  # looked at, at most
ROWS = 64  # whose maps are held at once


def layer_strips(
    method: Any, samples: Samples, *, units: int = UNITS, shown: int = SHOWN
) -> list[list[Strip]]:
    """For each layer of the method's encoder, a strip per unit: what excites it most, strongest first.

    The units are those whose answers are most peaked. Of a convolutional stage the strip shows the part of the image
    that the unit sees at the place of its largest answer; of other layers, the whole image.

    Args:
        method: fitted.
        samples: images; of more than 1,000 so many, evenly spread.
        units: strips per layer.
        shown: pictures in a strip.

    Returns:
        An empty list where the method has no encoder, or one that says nothing of its layers.
    """
    some = samples.subset(np.unique(np.linspace(0, len(samples) - 1, min(len(samples), SAMPLES)).astype(int)))
    encoder = encoder_of(method)
    if encoder is None or not has_pixels(samples):
        return []
    if not isinstance(encoder.body, Stages):
        return [
            [_whole(some, unit, top) for unit, top in _chosen(layer, units, shown)]
            for layer in layers_of(method, some)
        ]
    found = []
    for stage, (answers, places) in enumerate(strongest(encoder, some)):
        chosen = _chosen(answers, units, shown)
        if places is None or encoder.size not in (None, samples.shape[1:]):
            found.append([_whole(some, unit, top) for unit, top in chosen])
            continue
        fields = ReceptiveFields(encoder.body, stage, samples.shape)
        found.append([_seen(some, unit, top, places[top, unit], fields) for unit, top in chosen])
    return found


def excitement_figure(method: Any, samples: Samples, *, layer: int, units: int = UNITS) -> Figure:
    """What excites the units of one layer, counted from 1.

    Raises:
        ValueError: the samples are not images, or the encoder has no such layer.
    """
    layers = layer_strips(method, samples, units=units)
    if not 1 <= layer <= len(layers):
        raise ValueError(
            f"layer must lie between 1 and the {len(layers)} that {type(method).__name__}'s encoder shows of these "
            f"samples; got {layer}. Give images, and a method with an encoder of ours."
        )
    return strips_figure(layers[layer - 1])


def strongest(
    encoder: Encoder, samples: Samples
) -> list[tuple[Float[np.ndarray, "n d"], Int[np.ndarray, "n d 2"] | None]]:
    """The largest answer of each unit of each stage to each sample, and its place on the map (None of rows)."""
    parts: list[list[tuple[np.ndarray, np.ndarray | None]]] = []
    for start in range(0, len(samples), ROWS):
        batch = samples[np.arange(start, min(start + ROWS, len(samples)))].to(encoder.mean.device)
        with evaluating([encoder]), torch.inference_mode():
            parts.append([_largest(found.float().cpu()) for found in stage_maps(encoder, batch)])
    joined = []
    for stage in zip(*parts, strict=True):
        places = [place for _, place in stage if place is not None]
        joined.append(
            (np.concatenate([answer for answer, _ in stage]), np.concatenate(places) if places else None)
        )
    return joined


def _largest(maps: torch.Tensor) -> tuple[np.ndarray, np.ndarray | None]:
    if maps.ndim != 4 or min(maps.shape[2:]) < 2:
        return maps.flatten(1).numpy(), None
    top = maps.flatten(2).max(dim=2)  # (n, d)
    width = maps.shape[3]
    return top.values.numpy(), torch.stack([top.indices // width, top.indices % width], dim=2).numpy()


def _chosen(answers: np.ndarray, units: int, shown: int) -> list[tuple[int, np.ndarray]]:
    """The units to show, and the samples that excite each most."""
    chosen = telling_units(answers, count=units)
    return list(zip(chosen.tolist(), top_samples(answers[:, chosen], count=shown), strict=True))


def _whole(samples: Samples, unit: int, top: np.ndarray) -> Strip:
    return Strip(f"unit {unit + 1}", of_samples(samples, top, least=SMALL))


def _seen(samples: Samples, unit: int, top: np.ndarray, places: np.ndarray, fields: ReceptiveFields) -> Strip:
    images = as_float(samples[top].x)
    patches = [fields.cut(image, *place) for image, place in zip(images, places.tolist(), strict=True)]
    return Strip(f"unit {unit + 1}", drawn(torch.stack(patches).numpy(), least=SMALL))
