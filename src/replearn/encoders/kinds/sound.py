"""Sounds: networks of spectrograms, and of waves."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from replearn.data.mel import mel_of
from replearn.data.samples import Samples
from replearn.data.told import DataWarning
from replearn.encoders.base import Described, Encoder
from replearn.encoders.kinds.base import PATCHES, Maker, Networks, check_sizes
from replearn.encoders.sound import Spectral, SpectralPatches, SpectrogramCNN, WaveCNN, side_of_patch
from replearn.encoders.sound_folders import pretrained_sounds, reach_of
from replearn.encoders.text_nets import FOLDER
from replearn.encoders.vit import ViT

WIDTH = 128  # numbers per state of a patch
UNKNOWN = 16_000  # Hz, of samples that do not say their rate


def rate_of(samples: Any) -> int:
    """In Hz."""
    rate = getattr(samples, "details", {}).get("rate")
    return rate if isinstance(rate, int) and rate > 0 else UNKNOWN


def _cnn(shape: tuple[int, ...], rate: int = UNKNOWN, *, width: int = 32, depth: int = 3) -> nn.Module:
    return Spectral(SpectrogramCNN(width=width, depth=depth), mel_of(rate))


def _vit(shape: tuple[int, ...], rate: int = UNKNOWN, *, width: int = WIDTH, depth: int = 4) -> nn.Module:
    mel = mel_of(rate)
    frames = mel.frames(shape[1])
    net = ViT((1, mel.bands, frames), side=side_of_patch(frames), width=width, depth=depth)
    return SpectralPatches(net, mel, width=width)


def _wave(shape: tuple[int, ...], *, width: int = 128) -> nn.Module:
    return WaveCNN(width=width)


class SoundNetworks(Networks):
    """Sounds `(1, t)`."""

    bodies: ClassVar[Mapping[str, Maker]] = {**Networks.bodies, "cnn": _cnn, "vit": _vit, "wave": _wave}
    offers: ClassVar[frozenset[str]] = Networks.offers | {PATCHES}

    def make(self, spec: str | nn.Module, samples: Described) -> Encoder:
        if isinstance(spec, str) and spec.startswith(FOLDER):
            path = Path(spec.removeprefix(FOLDER)).expanduser()
            return pretrained_sounds(path, rate=rate_of(samples), length=samples.shape[1])
        return super().make(spec, samples)

    def again(self, encoder: Encoder, before: Described, samples: Described, *, of: str) -> Encoder:
        """Sounds of another length are read where the network can; of another rate they are not."""
        if rate_of(before) != rate_of(samples):
            raise ValueError(
                f"{of} must be of {rate_of(before):,} Hz, as what its encoder has learned from; got "
                f"{rate_of(samples):,} Hz. Read it at that rate, or take another run."
            )
        return encoder

    def warn_of_cuts(self, encoder: Encoder, samples: Samples, length: int | None) -> None:
        reach, seconds = reach_of(encoder.body), samples.shape[1] / rate_of(samples)
        if reach is not None and seconds > reach:
            line = (
                f"{len(samples):,} sounds of {seconds:.3g} s are longer than the {reach:.4g} s that are heard: the "
                f"rest of them is left out, {1 - reach / seconds:.0%}"
            )
            warnings.warn(line, DataWarning, stacklevel=3)

    def auto(self, samples: Described) -> str:
        return "cnn"

    def body(self, name: str, samples: Described, weights: Path | None, **sizes: int) -> nn.Module:
        """Those of spectrograms are made for the samples' rate."""
        if name not in ("cnn", "vit") or weights:
            return super().body(name, samples, weights, **sizes)
        check_sizes(name, self.bodies[name], sizes)
        return self.bodies[name](samples.shape, rate_of(samples), **sizes)
