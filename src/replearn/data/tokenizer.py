"""Texts as rows of numbers, by the `tokenizers` library.

Tokenizer.encode(text) -> ids;  Tokenizer.decode(ids) -> text
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from replearn.data.kmers import LARGEST_KMER, joined, kmers
from replearn.data.needed import needed
from replearn.data.reasons import reason_of
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
SPACED = "replearn_kmers"  # where a tokenizer's JSON says [k, stride], which the library knows nothing of


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
        reason = reason_of(error)
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
