"""Alphabets of sequences: which letters they have, which stand for several, and what is no letter but a gap.

dna, rna    A C G T (U), N and the other ambiguity codes of the IUPAC; `-`, `.` and `*` are gaps
protein     A to Z, `*` within it is a stop; `-` and `.` are gaps, and so is a `*` at the end
smiles      molecules, read as they are written
any         whatever is written
"""

import string
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

# Which of A, C, G, T (U) a letter stands for, as the IUPAC has it.
STANDS_FOR = {
    **{"A": "A", "C": "C", "G": "G", "T": "T", "U": "T"},
    **{"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC"},
    **{"B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT"},
}
COMPLEMENT = {
    "dna": ("ACGTURYSWKMBDHVN", "TGCAAYRSWMKVHDBN"),
    "rna": ("ACGTURYSWKMBDHVN", "UGCAAYRSWMKVHDBN"),
}
LETTERS = {
    "dna": "ACGT",
    "rna": "ACGU",
    "protein": "ACDEFGHIKLMNPQRSTVWY",
}  # those that are no ambiguity codes
ALLOWED = {
    "dna": frozenset(STANDS_FOR),
    "rna": frozenset(STANDS_FOR),
    "protein": frozenset(string.ascii_uppercase + "*"),
    "smiles": frozenset(string.ascii_letters + string.digits + "@+-[]()=#$%/\\.:*~"),
}
ALPHABETS = (*ALLOWED, "any")
GAPS = {"dna": "-.*", "rna": "-.*", "protein": "-."}
SURE = 0.9  # share of A, C, G, T, U and N from which letters are those of nucleotides
BLANKS = str.maketrans("", "", string.whitespace)


class NoSequence(ValueError):
    """A record that can't be used: empty, or with letters that its alphabet has not."""


@dataclass
class Cleaning:
    """What was changed of sequences, as counts of them.

    Attributes:
        lower: had lower-case letters, which are read as upper case.
        gaps: had gaps, which are left out.
    """

    lower: int = 0
    gaps: int = 0


@dataclass
class Letters:
    """Which characters there are in sequences, of which an alphabet is told."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, sequences: Iterable[str]) -> None:
        """Count the characters of some more."""
        for sequence in sequences:
            self.counts.update(sequence)

    def alphabet(self, *, molecules: bool) -> str:
        """The alphabet that fits; `molecules`: it may be that of SMILES, or `any`.

        >>> letters = Letters()
        >>> letters.add(["ACGT", "acgn-t"])
        >>> letters.alphabet(molecules=True)
        'dna'
        """
        upper: Counter[str] = Counter()
        for letter, count in self.counts.items():
            upper[letter.upper()] += 0 if letter in "-.*" or letter.isspace() else count
        total = sum(upper.values())
        if sum(upper[letter] for letter in "ACGTUN") >= SURE * max(1, total):
            return "rna" if upper["U"] and not upper["T"] else "dna"
        if not molecules or all(letter in ALLOWED["protein"] for letter, count in upper.items() if count):
            return "protein"
        return "smiles" if all(letter in ALLOWED["smiles"] for letter in self.counts) else "any"


def cleaned(sequence: str, alphabet: str, found: Cleaning) -> str:
    """A sequence without gaps, in upper case where letters have no case; `found` counts what was changed.

    Raises:
        NoSequence: there is no letter, or one that the alphabet has not.

    >>> cleaned("acg-tn", "dna", Cleaning())
    'ACGTN'
    """
    if alphabet == "any":
        return _not_empty(sequence)
    if alphabet == "smiles":
        return _of(_not_empty(sequence.strip()), alphabet)
    text = sequence.translate(BLANKS)
    upper = text.upper()
    found.lower += upper != text
    whole = upper.rstrip("*") if alphabet == "protein" else upper
    whole = whole.translate(str.maketrans("", "", GAPS[alphabet]))
    found.gaps += len(whole) != len(upper)
    return _of(_not_empty(whole), alphabet)


def _not_empty(sequence: str) -> str:
    if not sequence.strip():
        raise NoSequence("is empty")
    return sequence


def _of(sequence: str, alphabet: str) -> str:
    others = sorted(set(sequence) - ALLOWED[alphabet])
    if others:
        raise NoSequence(f"has {', '.join(map(repr, others[:3]))}, no letters of {alphabet}")
    return sequence


def reverse_complement(sequence: str, alphabet: str = "dna") -> str:
    """The other strand, read in its own direction; an ambiguity code becomes that of the complements.

    >>> reverse_complement("AACGR")
    'YCGTT'
    """
    return sequence[::-1].translate(str.maketrans(*COMPLEMENT[alphabet]))
