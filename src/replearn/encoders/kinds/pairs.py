"""Pairs: an encoder for each member, by what its own kind has."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn

from replearn.data.description import Description, description_from_json
from replearn.data.pairs import PairSamples, Together
from replearn.data.samples import Samples
from replearn.encoders.base import Described, Encoder
from replearn.encoders.folder_nets import of_member
from replearn.encoders.kinds.base import ENCODER, Networks
from replearn.encoders.stand_ins import meant_by
from replearn.encoders.text_nets import FOLDER
from replearn.encoders.towers import Towers

TOWERS = "towers"  # what a kind may offer here: an encoder for each of several members


class PairNetworks(Networks):
    """Samples with members.

    The encoder of a member is named as that of its kind is: `auto` for all, or `image=resnet_tiny,text=gru` (those that
    are not named are `auto`), run folders and `hf:FOLDER` included, or a `torch.nn.ModuleDict`. `hf:FOLDER` for all is
    a CLIP or SigLIP of the Hugging Face libraries.
    """

    bodies: ClassVar[Mapping[str, Any]] = {}
    offers: ClassVar[frozenset[str]] = frozenset({ENCODER, TOWERS})
    rooms: ClassVar[Mapping[str, Networks]] = {}  # of what members are: set where all rooms are known

    def content(self, samples: Described, n: int, device: torch.device) -> Any:
        """That of each member."""
        parts = members_of(samples)
        return Together(
            {name: self.rooms[part.kind].content(part, n, device) for name, part in parts.items()}
        )

    def named(self, spec: Any, samples: Described) -> dict[str, tuple[Any, str]]:
        if not isinstance(spec, str) or spec.startswith(FOLDER) or "=" not in spec or Path(spec).is_dir():
            return super().named(spec, samples)
        parts = members_of(samples)
        return {name: (one, parts[name].kind) for name, one in specs_of(spec, parts).items()}

    def reading(self, spec: Any, samples: Samples) -> Samples:
        """Each member as its encoder reads it."""
        assert isinstance(samples, PairSamples)
        meant = meant_by(spec)
        specs = specs_of(getattr(meant, "encoder_", meant), samples.members)  # a fitted method has one
        return samples.with_members(
            {name: self.rooms[part.kind].reading(specs[name], part) for name, part in samples.members.items()}
        )

    def warn_of_cuts(self, encoder: Encoder, samples: Samples, length: int | None) -> None:
        if isinstance(encoder, Towers):
            for name, part in samples.members.items():
                self.rooms[part.kind].warn_of_cuts(encoder.towers[name], part, length)

    def make(self, spec: str | nn.Module, samples: Described) -> Encoder:
        parts = members_of(samples)
        specs, towers = specs_of(spec, parts), {}
        for name, part in parts.items():
            room, meant = self.rooms[part.kind], meant_by(specs[name])
            before = learned_from(meant) if isinstance(specs[name], str) else None
            if before is not None:
                meant = room.again(meant, before, part, of=name)
            with of_member(name):
                towers[name] = room.make(meant, part)
        return Towers(towers)


def learned_from(encoder: Any) -> Description | None:
    """What the encoder of a run has learned from; None of others."""
    told = encoder.recipe if isinstance(encoder, Encoder) else None
    return description_from_json(json.loads(told)["samples"]) if told else None


def members_of(samples: Any) -> Mapping[str, Any]:
    """The members of samples, or of their description."""
    found: Mapping[str, Any] = samples.members
    return found


def specs_of(spec: Any, members: Mapping[str, Any]) -> dict[str, Any]:
    """What is given as the encoder of each member.

    Raises:
        ValueError: there is no such member, one name is given for all that isn't `auto`, or encoders are of others.

    >>> specs_of("image=resnet_tiny", {"image": None, "text": None})
    {'image': 'resnet_tiny', 'text': 'auto'}
    """
    given: dict[str, Any]
    if isinstance(spec, Towers):
        if spec.towers.keys() != members.keys():
            raise ValueError(
                f"encoders must be of the members {', '.join(members)}; these are of {', '.join(spec.towers)}. Name "
                "the members alike."
            )
        return dict(spec.towers)
    if isinstance(spec, nn.ModuleDict):
        given = dict(spec.items())
    elif isinstance(spec, str) and spec.startswith(FOLDER):
        given = dict.fromkeys(members, spec)
    elif not isinstance(spec, str) or (spec != "auto" and "=" not in spec):
        raise ValueError(
            f"encoder must name one for each member of pairs, {','.join(f'{name}=auto' for name in members)} say; got "
            f"{spec if isinstance(spec, str) else type(spec).__name__!r}."
        )
    else:
        given = {} if spec == "auto" else dict(part.partition("=")[::2] for part in spec.split(","))
    unknown = [name for name in given if name not in members]
    if unknown:
        raise ValueError(
            f"encoder must name members of the pairs, {', '.join(members)}; got {', '.join(unknown)}. Leave it out."
        )
    return {name: given.get(name, "auto") for name in members}
