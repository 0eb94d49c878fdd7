"""Entities in tags of words (B- begins one, I- goes on with it, O is outside), and scores of exact matches."""

from collections.abc import Hashable, Iterable, Sequence, Set


def entities(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """The entities of a sentence: first word, word after the last, type.

    An `I-` after another type, or after none, begins an entity too, as in the scorer of the CoNLL tasks.

    References: Tjong Kim Sang & De Meulder, CoNLL 2003. https://aclanthology.org/W03-0419

    >>> entities(["B-person", "I-person", "O", "I-place", "B-place"])
    [(0, 2, 'person'), (3, 4, 'place'), (4, 5, 'place')]
    """
    found: list[tuple[int, int, str]] = []
    start, kind = 0, ""
    for i, tag in enumerate([*tags, "O"]):
        mark, _, now = tag.partition("-")
        goes_on = mark == "I" and now == kind and kind != ""
        if kind and not goes_on:
            found.append((start, i, kind))
        if not goes_on:
            start, kind = i, now if mark in ("B", "I") else ""
    return found


def entity_scores(truth: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> dict[str, float]:
    """Precision, recall and F1 of entities: right are those with first word, last word and type right.

    Args:
        truth, found: tags of each sentence.

    >>> entity_scores([["B-a", "I-a", "O", "B-b"]], [["B-a", "I-a", "O", "B-a"]])
    {'entity_f1': 0.5, 'entity_precision': 0.5, 'entity_recall': 0.5}
    """
    both = [
        {(i, *entity) for i, tags in enumerate(side) for entity in entities(tags)} for side in (truth, found)
    ]
    return {f"entity_{name}": value for name, value in match_scores(*both).items()}


def match_scores(truth: Set[Hashable], found: Set[Hashable]) -> dict[str, float]:
    """F1, precision and recall of what was found: 0 where nothing is right.

    >>> match_scores({1, 2}, {2, 3, 4})
    {'f1': 0.4, 'precision': 0.3333333333333333, 'recall': 0.5}
    """
    right = len(truth & found)
    f1 = 2 * right / max(1, len(truth) + len(found))
    return {"f1": f1, "precision": right / max(1, len(found)), "recall": right / max(1, len(truth))}


def is_entity_tag(tag: str) -> bool:
    """Whether a tag is one of an entity.

    >>> [is_entity_tag(tag) for tag in ("B-person", "I-x", "O", "NOUN", "B-")]
    [True, True, False, False, False]
    """
    mark, _, kind = tag.partition("-")
    return mark in ("B", "I") and kind != ""


def types_of(tags: Iterable[str]) -> set[str]:
    """The types of entities that tags name."""
    return {tag.partition("-")[2] for tag in tags if is_entity_tag(tag)}
