"""`kmer_tokenizer`: which k-mers are tokens."""

import json
from collections import Counter
from collections.abc import Iterable

from replearn.data.kmers import LARGEST_KMER, kmers
from replearn.data.tokenizer import FIRST, LAST, SPACED, SPECIALS, UNKNOWN, Tokenizer, the_library
from replearn.data.tokenizer_training import READ_FROM, TooRare


def kmer_tokenizer(sequences: Iterable[str], *, k: int, stride: int, size: int, least: int = 1) -> Tokenizer:
    """A tokenizer whose tokens are the most frequent k-mers of some sequences; others are unknown.

    Args:
        sequences: of which, in turn, the first 50 million letters are looked at.
        k, stride: as above.
        size: tokens at most, special ones included.
        least: how often a token must occur.

    Raises:
        ValueError: there is no k-mer, or a number can't be as it is.

    >>> tokenizer = kmer_tokenizer(["ATGATGACC"], k=3, stride=3, size=100)
    >>> tokenizer.encode(["ATGACCTTT"]), tokenizer.decode([5, 6])
    ([[5, 6, 1]], 'ATGACC')
    """
    if not 1 <= k <= LARGEST_KMER or stride < 1 or size <= len(SPECIALS):
        raise ValueError(
            f"k must lie in 1 ... {LARGEST_KMER}, stride be at least 1, and a vocabulary hold more "
            f"than {len(SPECIALS)} tokens; got {k}, {stride} and {size}. Leave them out for the default."
        )
    counts: Counter[str] = Counter()
    left = READ_FROM
    for sequence in sequences:
        if left <= 0:
            break
        counts.update(kmers(sequence[:left], k, stride))
        left -= len(sequence)
    enough = [one for one, count in counts.items() if one and count >= least]
    if not enough:
        raise TooRare(
            f"a tokenizer must be trained on sequences in which a k-mer occurs at least {least} times; got none. "
            "Give more."
        )
    frequent = sorted(enough, key=lambda one: (-counts[one], one))[: size - len(SPECIALS)]
    made = the_library()
    vocabulary = {token: number for number, token in enumerate((*SPECIALS, *frequent))}
    inner = made.Tokenizer(made.models.WordLevel(vocabulary, unk_token=UNKNOWN))
    inner.pre_tokenizer = made.pre_tokenizers.WhitespaceSplit()
    inner.add_special_tokens(list(SPECIALS))
    marks = [(name, vocabulary[name]) for name in (FIRST, LAST)]
    inner.post_processor = made.processors.TemplateProcessing(
        single=f"{FIRST} $A {LAST}", pair=f"{FIRST} $A {LAST} $B:1 {LAST}:1", special_tokens=marks
    )
    return Tokenizer(json.dumps(json.loads(inner.to_str()) | {SPACED: [k, stride]}, ensure_ascii=False))
