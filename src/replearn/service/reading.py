"""A run as indexes and servers read samples by it: its representation, or of runs of pairs one member's embedding."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from replearn.data import Description, Samples, alike, as_samples
from replearn.data.kinds import KINDS, PIXELS, WORDS
from replearn.data.sources import is_image_name
from replearn.engine.run import METHOD, WEIGHTS, open_run
from replearn.methods import CLIP, Model
from replearn.methods.columns import bare


def hash_of_run(path: str | Path) -> str:
    """A hash of a run's recipe and weights.

    Raises:
        ValueError: there is no run.
    """
    folder, digest = open_run(path), hashlib.blake2b(digest_size=16)
    for name in (METHOD, WEIGHTS):
        with (folder / name).open("rb") as file:
            while part := file.read(2**20):
                digest.update(part)
    return digest.hexdigest()


def check_places(method: Any) -> None:
    """Raises ValueError where a method has no representation of new samples, or none that lies in one space."""
    if getattr(method, "why_not_judged", "") or not hasattr(bare(method), "transform"):
        raise ValueError(
            f"RUN must represent new samples; {type(bare(method)).__name__} does not. Choose a method with a map of "
            "its own, like pca."
        )


def members_of(method: Any) -> dict[str, Description]:
    """Of a run whose members can be compared with each other, those, by name; of others none."""
    return dict(method.samples_.members) if isinstance(method, CLIP) else {}


def member_for(method: Any, asked: str | None, option: str, *, words: bool) -> str | None:
    """The member that is indexed, or asked by: the one that is named, or the only one that is of texts, or is not.

    Args:
        method: fitted.
        asked: its name, or None.
        option: that names it, for messages.
        words: whether texts are looked for.

    Raises:
        ValueError: there is none of that name, or none to choose.
    """
    members = members_of(method)
    if not members:
        if asked is not None:
            raise ValueError(f"{option} is for runs of clip, which have members; got {asked}. Leave it out.")
        return None
    fit = [name for name, part in members.items() if (WORDS in KINDS[part.kind].offers) == words]
    name = asked or (fit[0] if len(fit) == 1 else "")
    if name not in members:
        raise ValueError(f"{option} must name one of the members {', '.join(members)}; got {name or 'none'}.")
    return name


def expected_of(method: Any, known: Description, member: str | None) -> Description:
    """What samples must be like."""
    return known if member is None else members_of(method)[member]


def is_one_image(path: Path, like: Description) -> bool:
    """Whether a path is a file of one image, for a run of images."""
    return PIXELS in KINDS[like.kind].offers and path.is_file() and is_image_name(path.name)


def one_image(path: Path, like: Description) -> Samples:
    """A file of one image, read like those of a run.

    Raises:
        ValueError: it can't be decoded.
    """
    found = as_samples([str(path)], **KINDS[like.kind].options_like(like))
    return alike(found, like, convert=True)


def rows_of(method: Any, samples: Samples, member: str | None) -> Float[np.ndarray, "n d"]:
    """A row per sample.

    Raises:
        ValueError: they are not like those of the run.
    """
    if member is not None:
        found: np.ndarray = method.project(samples, of=member)
        return found
    found = method.transform(samples if isinstance(method, Model) else samples.flat())
    return np.asarray(found, dtype=np.float32)


def rows_in_parts(
    method: Any, samples: Samples, member: str | None, *, start: int, batch: int
) -> Iterator[Float[np.ndarray, "n d"]]:
    """Rows of the samples from `start` on, `batch` at a time."""
    for first in range(start, len(samples), batch):
        index = np.arange(first, min(first + batch, len(samples)))
        yield rows_of(method, samples.subset(index), member)
