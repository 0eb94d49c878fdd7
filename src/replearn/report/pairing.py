"""The section "Pairs": do members of one sample find each other, and how do their embeddings lie to each other?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from replearn.comparison import Comparison
from replearn.report.language import NONE, SmallTable

PAIRING, SPACE = "pairing", "space"  # among the facts, and in them
MEASURES = ("gap", "alignment", "uniformity")


@dataclass(frozen=True)
class PairingPanel:
    """What the section shows: tables of partners found, and of the space that members share."""

    tables: list[SmallTable]


def pairing_panel(comparison: Comparison) -> PairingPanel | None:
    """The section; None where no method that brings members together was judged."""
    facts = comparison.facts.get(PAIRING)
    if not isinstance(facts, Mapping) or not _whole(facts):
        return None
    return PairingPanel([_found(facts), *_space(facts.get(SPACE))])


def _whole(facts: Mapping[str, Any]) -> bool:
    """Whether `replearn evaluate` may have found this: counts, directions, and a space unless it is older."""
    space = facts.get(SPACE, {name: {} for name in MEASURES})
    ways = [found for name, found in facts.items() if isinstance(found, Mapping) and name != SPACE]
    if not ways or not isinstance(space, Mapping) or any("among" not in found for found in ways):
        return False
    measures = [found for name in MEASURES if isinstance(found := space.get(name), Mapping)]
    if len(measures) < len(MEASURES) or space["gap"].keys() != space["alignment"].keys():
        return False
    numbers = [n for found in (*ways, *measures) for n in found.values()]
    return all(
        isinstance(number, int | float) for number in (facts.get("samples"), facts.get("of"), *numbers)
    )


def _found(facts: Mapping[str, Any]) -> SmallTable:
    """A line for each direction, a column for each number of nearest."""
    ways = {name: found for name, found in facts.items() if isinstance(found, Mapping) and name != SPACE}
    recalls = list(dict.fromkeys(at for found in ways.values() for at in found if at.startswith("recall@")))
    lines = [
        [
            name,
            *(_number(found.get(at), ".1%").removesuffix("%") for at in recalls),
            _number(found.get("mrr"), ".3f"),
            _number(found["among"], ",d"),
        ]
        for name, found in ways.items()
    ]
    counted, total = _number(facts.get("samples"), ",d"), _number(facts.get("of"), ",d")
    of = f"{counted} test samples" if counted == total else f"the first {counted} of {total} test samples"
    columns = ["from and to", *(f"{at}, %" for at in recalls), "mean reciprocal rank", "among"]
    return SmallTable(
        "Is the partner among the nearest?",
        columns,
        lines,
        f"Of {of}: how often the other member of the same sample is among so many nearest by cosine. Members that are "
        "equal are looked for once, and each of them is right.",
    )


def _space(space: Any) -> list[SmallTable]:
    """Lines of both members together, then of each; nothing of an older evaluation."""
    if space is None:
        return []
    gap, alignment, uniformity = (space[name] for name in MEASURES)
    together = [[name, _number(gap[name], ".3f"), _number(alignment[name], ".3f"), NONE] for name in gap]
    alone = [[name, NONE, NONE, _number(value, ".3f")] for name, value in uniformity.items()]
    return [
        SmallTable(
            "Do members lie in one place?",
            ["", "modality gap", "alignment", "uniformity"],
            [*together, *alone],
            "On the unit sphere. Modality gap: the distance between the centres of both members (0 to 2); most such "
            "models have one, and it doesn't keep partners from finding each other. Alignment: the mean squared "
            "distance of partners (0 to 4, less is closer). Uniformity: how evenly a member fills the sphere (0 is one "
            "point, less is more even).",
        )
    ]


def _number(value: Any, form: str) -> str:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return format(int(value) if form.endswith("d") else value, form) if fits else NONE
