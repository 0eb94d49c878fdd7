"""The views that a method takes if it is given none, chosen by its samples: see `replearn.views.kinds`."""

import difflib
import logging

from replearn.data.description import Description
from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.compose import Same
from replearn.views.kinds import OWN, VIEWS
from replearn.views.kinds.base import AS_THEY_ARE
from replearn.views.parts import Parts, as_parts
from replearn.views.written import EXAMPLE, given_views

log = logging.getLogger("replearn")

PRESETS = tuple(preset for room in OWN.values() for preset in room.presets)
# What a preset is made into, by the name that a method asks for (`Method.split`).
SPLITS = tuple(dict.fromkeys(split for room in OWN.values() for split in room.splits))


def default_views(samples: Samples, split: str = "pair") -> Split:
    """Views of every sample by the preset that fits: see `preset_for`. Where there are several, it is said which.

    Args:
        samples: to be seen.
        split: what the preset is made into, one of `SPLITS`.

    Raises:
        ValueError: there are no default views for samples of this kind.
    """
    if split in AS_THEY_ARE:
        made: Split = getattr(VIEWS[samples.kind], split)(samples, Same(), "")
        return made
    preset, why = chosen(samples)
    if len(VIEWS[samples.kind].presets) > 1:
        log.info(
            "views: %s, since %s; choose others by --views or views=, e.g. %r",
            preset,
            why,
            VIEWS[samples.kind].other(preset),
        )
    return named_views(preset, samples, split)


def named_views(name: str, samples: Samples, split: str = "pair") -> Split:
    """Views of every sample, by a preset of their kind: of images `photo`, `grey`, `directed` or `drawing`.

    Args:
        name: of the preset.
        samples: to be seen.
        split: what the preset is made into, one of `SPLITS`.

    Raises:
        ValueError: if there is no such preset, it is not for samples of this kind, or these can't be split so.
    """
    room = VIEWS[samples.kind]
    if name not in room.presets:
        known = [preset for each in VIEWS.values() for preset in each.presets]
        if name in known:
            instead = f"use {chosen(samples)[0]!r}, or leave them out" if room.presets else "give views"
            raise ValueError(f"views {name!r} are not for samples of kind {samples.kind!r}; {instead}.")
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.3) or known[:1]
        raise ValueError(
            f"views must be one of {', '.join(known)}, or written out, such as {EXAMPLE}; got {name!r}. Did you mean "
            f"{near[0]!r}?"
        )
    _check_split(samples, split)
    made: Split = getattr(room, split)(samples, room.presets[name](samples), name)
    return made


def parts_of(spec: View | Split | str | None, samples: Description, split: str) -> Parts:
    """The parts that the views of a field have without chance.

    A run that is loaded knows no more of its samples than their description, and must see parts like those that it was
    trained on.

    Args:
        spec: what the field holds; a preset's own views do not matter, only how they are cut.
        samples: to be cut.
        split: how a preset is cut.
    """
    spec = given_views(spec)
    if isinstance(spec, Split):
        return as_parts(spec, samples)
    _check_split(samples, split)
    return as_parts(getattr(VIEWS[samples.kind], split)(samples, Same(), ""), samples)


def preset_for(samples: Samples) -> str:
    """The name of the preset that fits.

    Raises:
        ValueError: there is none for samples of this kind.
    """
    return chosen(samples)[0]


def chosen(samples: Samples) -> tuple[str, str]:
    """The preset that fits, and why, as a clause with its numbers.

    Raises:
        ValueError: there is none for samples of this kind.
    """
    room = VIEWS[samples.kind]
    if not room.presets:
        having = [kind for kind, each in VIEWS.items() if each.presets]
        raise ValueError(
            f"default views exist for samples of kind {', '.join(having)}; got samples of kind {samples.kind!r}. "
            "Give views."
        )
    return room.chosen(samples)


def _check_split(samples: Samples | Description, split: str) -> None:
    if split not in VIEWS[samples.kind].splits:
        raise ValueError(f"samples of kind {samples.kind!r} can't be split {split!r}. Give views.")
