"""Texts as rows of numbers: tokenizers trained on the user's own texts, by the `tokenizers` library.

texts --train_tokenizer--> Tokenizer;  Tokenizer.encode(text) -> ids;  Tokenizer.decode(ids) -> text
"""

import difflib
import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from replearn.data.kmers import LARGEST_KMER, joined, kmers
from replearn.data.needed import needed
from replearn.data.tokenizer_checks import LARGEST_ID, LARGEST_JSON, check_tokenizer

log = logging.getLogger("replearn")

PAD, UNKNOWN, FIRST, LAST, MASK = SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# What other tokenizers call them; the first that is there counts.
NAMES = {
    PAD: (PAD, "<pad>", "<|pad|>", "<|endoftext|>", "</s>"),
    UNKNOWN: (UNKNOWN, "<unk>", "<|endoftext|>"),
    FIRST: (FIRST, "<s>", "<|startoftext|>", "<|endoftext|>"),
    LAST: (LAST, "</s>", "<|endoftext|>", "<eos>"),
    MASK: (MASK, "<mask>"),
}
KINDS = ("bpe", "wordpiece", "unigram", "words", "characters", "bytes")
SPACED = "replearn_kmers"  # where a tokenizer's JSON says [k, stride], which the library knows nothing of
READ_FROM = 50_000_000  # characters that a tokenizer is trained on; more change little
LARGEST_ALPHABET = 1000  # of WordPiece


class TooRare(ValueError):
    """Nothing occurs often enough in the texts to be a token."""


@dataclass(frozen=True)
class Tokenizer:
    """A tokenizer of the `tokenizers` library; all of it is in its JSON, which nothing executes.

    Attributes:
        json: as `tokenizers.Tokenizer.to_str` writes it.
    """

    json: str

    @cached_property
    def inner(self) -> Any:
        """The library's own object, neither cutting nor filling up."""
        content = self.json
        if self.kmers is not None:
            content = json.dumps({name: part for name, part in json.loads(content).items() if name != SPACED})
        inner = the_library().Tokenizer.from_str(content)
        inner.no_truncation()
        inner.no_padding()
        return inner

    @cached_property
    def kmers(self) -> tuple[int, int] | None:
        """Letters of a k-mer, and from one to the next, of a tokenizer that reads sequences so; else None."""
        if SPACED not in self.json:
            return None
        found = json.loads(self.json).get(SPACED)
        if not (
            isinstance(found, list) and len(found) == 2 and all(type(n) is int and n >= 1 for n in found)
        ):
            raise ValueError(f"a tokenizer into k-mers must say [k, stride]; this one says {found!r:.60}.")
        return found[0], found[1]

    def spaced(self, texts: Sequence[str]) -> list[str]:
        """Texts as the library's own object reads them: of sequences, their k-mers with blanks between."""
        if self.kmers is None:
            return list(texts)
        return [" ".join(kmers(text, *self.kmers)) for text in texts]

    @cached_property
    def size(self) -> int:
        """Ids are below it."""
        return 1 + max(self.inner.get_vocab(with_added_tokens=True).values(), default=-1)

    @property
    def words(self) -> list[str]:
        """The token of each id, as the tokenizer writes it."""
        return [self.inner.id_to_token(i) or "" for i in range(self.size)]

    def special(self, name: str) -> int:
        """The id of a special token: `PAD`, `UNKNOWN`, `FIRST`, `LAST` or `MASK`.

        Raises:
            ValueError: the tokenizer has none.
        """
        for known in NAMES[name]:
            found = self.inner.token_to_id(known)
            if found is not None:
                return int(found)
        raise ValueError(
            f"a tokenizer must have a token {name}, under one of the names {', '.join(NAMES[name])}; this one has none."
        )

    def encode(self, texts: Sequence[str], *, framed: bool = False) -> list[list[int]]:
        """The ids of each text; `framed`: between the tokens that mark beginning and end, where it has them."""
        return [
            found.ids for found in self.inner.encode_batch_fast(self.spaced(texts), add_special_tokens=framed)
        ]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids; special tokens are left out."""
        if self.kmers is not None:
            return joined([self.words[i] for i in ids if self.words[i] not in SPECIALS], *self.kmers)
        return str(self.inner.decode(list(ids), skip_special_tokens=True))


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


def read_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in a file.

    Raises:
        ValueError: there is none.
    """
    try:
        if path.stat().st_size > 4 * LARGEST_JSON:
            raise ValueError(f"it has {path.stat().st_size:,} bytes")
        content = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ValueError(f"tokenizer must name a kind or a tokenizer.json; got {path} ({error}).") from error
    return safe_tokenizer(content, str(path))


def safe_tokenizer(content: str, where: str) -> Tokenizer:
    """The tokenizer that is written as JSON, after it was tried.

    Args:
        content: who wrote it may be a stranger.
        where: it came from.

    Raises:
        ValueError: it can't be read, takes too long, breaks, or has ids beyond all reason.
    """
    tokenizer = Tokenizer(content)
    try:
        check_tokenizer(content)
        if tokenizer.kmers and tokenizer.kmers[0] > LARGEST_KMER:
            raise ValueError(
                f"it has k-mers of {tokenizer.kmers[0]:,} letters, and {LARGEST_KMER} is the most"
            )
        if tokenizer.size > LARGEST_ID:
            raise ValueError(f"it has the id {tokenizer.size - 1:,}, and {LARGEST_ID:,} is the most")
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the library raises Exception itself, and panics
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"tokenizer must name a kind or a tokenizer.json; got {where} ({reason})."
        ) from error
    return tokenizer


def blank_tokenizer(size: int) -> Tokenizer:
    """One that knows `size` tokens and no text: it stands in for that of a run until the weights are read."""
    library = the_library()
    blank = library.Tokenizer(library.models.WordLevel({str(i): i for i in range(size)}, unk_token="0"))
    return Tokenizer(blank.to_str())


def the_library() -> Any:
    """The package tokenizers.

    Raises:
        ValueError: it is not installed.
    """
    return needed("tokenizers", "texts need")


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
