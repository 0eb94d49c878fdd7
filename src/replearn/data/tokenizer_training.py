"""Tokenizers trained on the user's own texts.

texts --train_tokenizer--> Tokenizer
"""

import difflib
import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from replearn.data.tokenizer import FIRST, LAST, SPECIALS, UNKNOWN, Tokenizer, read_tokenizer, the_library

log = logging.getLogger("replearn")

KINDS = ("bpe", "wordpiece", "unigram", "words", "characters", "bytes")
READ_FROM = 50_000_000  # characters that a tokenizer is trained on; more change little
LARGEST_ALPHABET = 1000  # of WordPiece


class TooRare(ValueError):
    """Nothing occurs often enough in the texts to be a token."""


@runtime_checkable
class Spelled(Protocol):
    """Texts that say how they become tokens, whatever is asked for: sequences, which have no words."""

    def tokenizer(self, *, size: int, least: int) -> Tokenizer:
        """The tokenizer of these texts, of so many tokens at most, each of which occurs so often at least."""

    def __iter__(self) -> Iterator[str]: ...


def train_tokenizer(
    texts: Iterable[str], kind: str = "bpe", *, size: int = 8192, least: int = 1, lowercase: bool = False
) -> Tokenizer:
    """A tokenizer of these texts (of their first 50 million characters).

    Args:
        texts: what to learn from.
        kind: `bpe` (byte pairs; Sennrich et al. 2016, Radford et al. 2019: no text is unknown), `wordpiece` (Schuster
            and Nakajima 2012, as BERT has it), `unigram` (Kudo 2018), `words` (runs of letters, or other signs),
            `characters`, `bytes` (256 and no more).
        size: tokens at most, special ones included.
        least: how often a token must occur.
        lowercase: whether capitals are lost.

    Texts that are `Spelled` have tokens of their own kind: of what is asked for, only numbers count.

    The same texts give the same tokenizer, except that the library's training of `unigram` rounds differently
    each time.

    Raises:
        ValueError: no such kind, texts without a character, or the library is missing.

    >>> tokenizer = train_tokenizer(["to be or not to be"], "words")
    >>> tokenizer.encode(["be or be"])
    [[5, 8, 5]]
    >>> tokenizer.decode([5, 8, 5])
    'be or be'
    """
    if kind not in KINDS:
        near = difflib.get_close_matches(kind, KINDS, n=1, cutoff=0.3) or [KINDS[0]]
        raise ValueError(
            f"tokenizer must be one of {', '.join(KINDS)}; got {kind!r}. Did you mean {near[0]!r}?"
        )
    if size < 1 or least < 1:
        raise ValueError(
            f"a tokenizer must have at least 1 token, and each must occur once; got {size} and {least}. Raise it."
        )
    if isinstance(texts, Spelled):
        return texts.tokenizer(size=size, least=least)
    if size < 256 + len(SPECIALS) and kind in ("bpe", "bytes"):
        raise ValueError(
            f"a vocabulary of {kind} must have at least {256 + len(SPECIALS)} tokens, the bytes and "
            f"{len(SPECIALS)} special ones; got {size}. Raise it, or use 'characters'."
        )
    library = the_library()
    inner = _untrained(library, kind)
    if lowercase:
        inner.normalizer = library.normalizers.Sequence([inner.normalizer, library.normalizers.Lowercase()])
    head = list(_first_characters(texts))
    pieces = _pieces(head) if kind == "wordpiece" else []
    try:
        inner.train_from_iterator(head, _trainer(library, kind, pieces, size=size, least=least))
    except Exception as error:  # the library raises Exception itself
        raise ValueError(
            f"a vocabulary of {kind} must have a token for each character of the texts; {size} are too few ({error}). "
            "Raise it, or use 'bpe'."
        ) from error
    if inner.get_vocab_size() > max(size, len(SPECIALS)):
        raise ValueError(
            f"a vocabulary of {kind} must have a token for each character of the texts, {inner.get_vocab_size()} with "
            f"the special ones; got {size}. Raise it, or use 'bpe'."
        )
    if inner.get_vocab_size() <= len(SPECIALS):
        raise TooRare(
            f"a tokenizer must be trained on texts in which something occurs at least {least} times; got none. "
            "Give more text."
        )
    framed = [(FIRST, inner.token_to_id(FIRST)), (LAST, inner.token_to_id(LAST))]
    inner.post_processor = library.processors.TemplateProcessing(
        single=f"{FIRST} $A {LAST}", pair=f"{FIRST} $A {LAST} $B:1 {LAST}:1", special_tokens=framed
    )
    return Tokenizer(_without(inner.to_str(), pieces))


def make_tokenizer(spec: str, texts: Iterable[str], *, size: int, lowercase: bool) -> Tokenizer:
    """The tokenizer in the file that `spec` names, if it ends in `.json`; else one of that kind, trained on the texts.

    Raises:
        ValueError: there is none, or it can't be trained.
    """
    if spec.endswith(".json"):
        return read_tokenizer(Path(spec).expanduser())
    return train_tokenizer(texts, spec, size=size, lowercase=lowercase)


def _untrained(library: Any, kind: str) -> Any:
    """A tokenizer of a kind that has learned nothing yet."""
    models, before, after = library.models, library.pre_tokenizers, library.decoders
    if kind in ("bpe", "bytes"):
        model = models.BPE()
        parts = (before.ByteLevel(add_prefix_space=False), after.ByteLevel())
    elif kind == "wordpiece":
        model = models.WordPiece(unk_token=UNKNOWN)
        parts = (before.BertPreTokenizer(), after.WordPiece())
    elif kind == "unigram":
        model = models.Unigram()
        parts = (before.Metaspace(), after.Metaspace())
    elif kind == "words":
        model = models.WordLevel(unk_token=UNKNOWN)
        parts = (before.Whitespace(), None)
    else:
        model = models.WordLevel(unk_token=UNKNOWN)
        parts = (before.Split(library.Regex(r"(?m)."), "isolated"), after.Fuse())
    inner = library.Tokenizer(model)
    inner.normalizer = library.normalizers.NFC()
    inner.pre_tokenizer = parts[0]
    if parts[1] is not None:
        inner.decoder = parts[1]
    return inner


def _pieces(texts: list[str]) -> list[str]:
    """The characters within words, most frequent first, as WordPiece writes them.

    Its trainer would number them in the random order of a hash table, and break ties by these numbers.
    """
    counts = Counter[str]()
    for text in texts:
        counts.update(text)
    found = sorted((c for c in counts if not c.isspace()), key=lambda c: (-counts[c], c))
    return [f"##{c}" for c in found[:LARGEST_ALPHABET]]


def _without(content: str, pieces: list[str]) -> str:
    """A tokenizer's JSON in which these tokens are not looked for in raw text."""
    read = json.loads(content)
    read["added_tokens"] = [token for token in read["added_tokens"] if token["content"] not in set(pieces)]
    return json.dumps(read, ensure_ascii=False)


def _trainer(library: Any, kind: str, pieces: list[str], *, size: int, least: int) -> Any:
    """What trains a tokenizer of a kind; it shows no progress."""
    trainers = library.trainers
    said = {"special_tokens": [*SPECIALS, *pieces], "show_progress": False}
    if kind in ("bpe", "bytes"):
        alphabet = library.pre_tokenizers.ByteLevel.alphabet()
        room = size if kind == "bpe" else len(alphabet) + len(SPECIALS)
        return trainers.BpeTrainer(vocab_size=room, min_frequency=least, initial_alphabet=alphabet, **said)
    if kind == "wordpiece":
        return trainers.WordPieceTrainer(vocab_size=size, min_frequency=least, **said)
    if kind == "unigram":
        return trainers.UnigramTrainer(vocab_size=size, unk_token=UNKNOWN, **said)
    return trainers.WordLevelTrainer(vocab_size=size, min_frequency=least, **said)


def _first_characters(texts: Iterable[str]) -> Iterator[str]:
    """Texts until enough characters are read."""
    left = READ_FROM
    for text in texts:
        if left <= 0:
            log.info("the tokenizer is trained on the first %d million characters", READ_FROM // 1_000_000)
            return
        yield text[:left]
        left -= len(text)
