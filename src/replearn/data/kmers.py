"""K-mers: sequences read k letters at a time, one token every `stride` letters.

ATGACCGA --k=3, stride=3--> ATG ACC GA        (what is left at the end is a token, too)
ATGACCGA --k=3, stride=1--> ATG TGA GAC ACC CCG CGA
"""

from collections.abc import Sequence

LARGEST_KMER = 16  # letters


def kmers(sequence: str, k: int, stride: int) -> list[str]:
    """The k-mers of a sequence, from its beginning on; where they don't overlap, none of its letters is left out.

    >>> kmers("ATGACCGA", 3, 3), kmers("ATGAC", 3, 1), kmers("AT", 3, 1)
    (['ATG', 'ACC', 'GA'], ['ATG', 'TGA', 'GAC'], ['AT'])
    """
    last = len(sequence) if stride >= k else max(1, len(sequence) - k + 1)
    return [sequence[start : start + k] for start in range(0, last, stride)]


def joined(found: Sequence[str], k: int, stride: int) -> str:
    """The sequence of which these are the k-mers (letters that a stride beyond k leaves out are lost).

    >>> joined(["ATG", "TGA", "GAC"], 3, 1)
    'ATGAC'
    """
    return "".join(one if not place else one[max(0, k - stride) :] for place, one in enumerate(found))
