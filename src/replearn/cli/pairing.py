"""What `replearn evaluate` tells of a method that brings members of samples together: do they find each other?"""

import textwrap
from typing import Any

MOST = 10_000  # test samples among which partners are looked for


def pairing_facts(method: Any, test: Any) -> dict[str, Any]:
    """Recall of each member's partner among the test samples', both ways, and how their embeddings lie to each other;
    empty for other methods.

    Equal captions are looked for once, and of equal pictures, or of equal captions, any partner is right.
    """
    from itertools import permutations

    import numpy as np

    from replearn.data.copies import connected, content_hashes
    from replearn.evaluate import retrieval, shared_space
    from replearn.methods import CLIP

    if not isinstance(method, CLIP):
        return {}
    part = test.subset(np.arange(min(MOST, len(test))))
    z = {name: method.project(samples, of=name) for name, samples in part.members.items()}
    hashes = {name: content_hashes(samples) for name, samples in part.members.items()}
    facts: dict[str, Any] = {"samples": len(part), "of": len(test)}
    for a, b in permutations(z, 2):
        _, first, wanted = np.unique(hashes[b], return_index=True, return_inverse=True)
        together = connected(wanted, hashes[a].astype(str))
        found = retrieval(z[a], z[b][first], wanted=wanted, same=together[first])
        facts[f"{a} to {b}"] = found | {"among": len(first)}
    if len(part) > 1:
        facts["space"] = shared_space(z)
    return facts


def print_pairing(facts: dict[str, Any]) -> None:
    """Print in 80 columns what `pairing_facts` found, if anything."""
    if not facts:
        return
    for name, found in facts.items():
        if isinstance(found, dict) and "among" in found:
            recalls = ", ".join(
                f"{100 * share:.1f} at {at.partition('@')[2]}" for at, share in found.items() if "@" in at
            )
            print(f"{name}: recall {recalls}, among {found['among']:,}")
    left = f" (the first of {facts['of']:,})" if facts["samples"] < facts["of"] else ""
    line = f"percent of {facts['samples']:,} test samples{left} whose partner is among so many nearest"
    print(textwrap.fill(line, 80, initial_indent="  ", subsequent_indent="  "))
    _print_space(facts.get("space", {}))


def _print_space(space: dict[str, dict[str, float]]) -> None:
    """Print in 80 columns how members lie to each other; older evaluations have nothing of it."""
    if not space:
        return
    for name, gap in space["gap"].items():
        print(f"{name}: modality gap {gap:.3f}, alignment of partners {space['alignment'][name]:.3f}")
    alone = ", ".join(f"{name} {value:.3f}" for name, value in space["uniformity"].items())
    print(textwrap.fill(f"uniformity: {alone}", 80))
    print("  on the unit sphere: distance of the members' centres, 0 to 2; mean squared")
    print("  distance of partners, 0 to 4; how evenly each fills it, less is more even")
