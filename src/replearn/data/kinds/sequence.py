"""Sequences of symbols: DNA, RNA, proteins, molecules as SMILES, or whatever is written without words."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import sliding_window_view

from replearn.data.alphabets import ALPHABETS, LETTERS, reverse_complement
from replearn.data.asked import Asked, Found
from replearn.data.fasta import is_fasta
from replearn.data.kinds.base import WORDS, Kind
from replearn.data.kinds.files import holds_only
from replearn.data.records import is_record_file
from replearn.data.samples import Batch, Samples
from replearn.data.sequence_files import (
    SCAFFOLD,
    files_of_sequences,
    frame_of_sequences,
    listed,
    table_of_sequences,
)
from replearn.data.sequences import SequenceSamples, Spelling
from replearn.data.sources import ListSource, find_source

TOKENS = ("auto", "characters", "kmers", "bpe")
K = 4  # letters of what is counted by hand in DNA
GRAMS = (1, 3)  # the same in other sequences: from one letter to three
HASHED = 4096
LARGEST_COUNTED = 6  # letters of k-mers, of which there are 4,096


@dataclass(frozen=True)
class Sequences(Kind):
    """Sequences, texts without words. Methods for texts read them by tokens of their own.

    Args:
        alphabet: `dna`, `rna`, `protein`, `smiles`, `any` (whatever is written), or `auto`, which looks at the letters.
        tokens: `characters`, `kmers`, `bpe` (byte pairs), or `auto`: k-mers of DNA and RNA, characters of others.
        k: letters of a k-mer.
        stride: letters from one k-mer to the next; None: k, so that none overlap.
        groups: `scaffold`: molecules with the same rings are a group (by rdkit); None: what the data say.
    """

    plural: ClassVar[str] = "sequences"
    offers: ClassVar[frozenset[str]] = frozenset({WORDS})
    cuts: ClassVar[bool] = True

    alphabet: str = "auto"
    tokens: str = "auto"
    k: int = field(default=3, metadata={"least": 1})
    stride: int | None = field(default=None, metadata={"least": 1})
    groups: str | None = None

    def __post_init__(self) -> None:
        among = {"alphabet": ("auto", *ALPHABETS), "tokens": TOKENS, "groups": (None, SCAFFOLD)}
        for name, known in among.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} of sequence must be one of {', '.join(map(str, known))}; got {getattr(self, name)!r}."
                )
        if self.groups == SCAFFOLD and self.alphabet not in ("auto", "smiles"):
            raise ValueError(
                f"only molecules have scaffolds; got alphabet={self.alphabet}. Leave groups out."
            )

    def spelling(self, alphabet: str) -> Spelling:
        """How sequences of an alphabet become tokens."""
        own = "kmers" if alphabet in ("dna", "rna") else "characters"
        tokens = own if self.tokens == "auto" else self.tokens
        return Spelling(tokens, self.k, self.stride or self.k)

    def claims(self, data: Any) -> bool:
        """FASTA and FASTQ files, and folders and zips of them without images and texts; all else is asked for."""
        if not isinstance(data, str | Path):
            return False
        path = Path(data).expanduser()
        return (path.is_file() and is_fasta(path.name)) or holds_only(path, is_fasta)

    def read(self, data: Any, asked: Asked) -> Found:
        if hasattr(data, "columns") and hasattr(data, "to_numpy"):
            return frame_of_sequences(data, self, asked)
        if not isinstance(data, str | Path):
            return self._listed(data, asked)
        path = Path(data).expanduser()
        if path.exists() and is_record_file(path):
            return table_of_sequences(path, self, asked)
        single = path.is_file() and is_fasta(path.name)
        source = ListSource([path]) if single else find_source(path, is_fasta)
        if source is None or not source.names:
            raise ValueError(
                "sequences must be a FASTA or FASTQ file, a folder or zip of them, a table with a column of them or a "
                f"list of strings; got {str(path)!r}."
            )
        return files_of_sequences(source, self, asked, key=source.key)

    def _listed(self, data: Any, asked: Asked) -> Found:
        found = data.tolist() if hasattr(data, "tolist") else data
        if not isinstance(found, list | tuple):
            raise ValueError(f"sequences must be a list of strings; got {type(data).__name__}.")
        for place, one in enumerate(found):
            if not isinstance(one, str):
                raise ValueError(
                    f"sequences must be strings; number {place} is {type(one).__name__}. Leave it out."
                )
        given = asked.labels
        own = not isinstance(given, str | Path) and not hasattr(given, "keys") and hasattr(given, "__len__")
        labels = list(given) if own and len(given) == len(found) else [None] * len(found)
        rows = [(f"number {i}", *row, None) for i, row in enumerate(zip(found, labels, strict=True))]
        return listed(rows, self, asked, origin="the sequences")

    def options_like(self, expected: Any) -> dict[str, Any]:
        """The same alphabet and tokens."""
        said = expected.details
        if not said:
            return {}
        return {"kind": Sequences(said["alphabet"], said["tokens"], said["k"], said["stride"], self.groups)}

    def of_batch(self, batch: Batch, like: Samples) -> Samples:
        said = dict(like.details)
        return SequenceSamples(batch.x, alphabet=said.pop("alphabet"), spelling=Spelling(**said))

    def features(self, samples: Samples) -> Float[np.ndarray, "n d"]:
        """Counts as rows of length 1. Of DNA and RNA: the k-mers that are tokens (codons, of genes); where
        tokens are no k-mers, or of more than six letters, those of four letters, on either strand. Of others: runs of
        one to three letters, in 4,096 columns by their hash.
        """
        assert isinstance(samples, SequenceSamples)
        alphabet, spelling = samples.details["alphabet"], samples.texts.spelling
        if alphabet in LETTERS and alphabet != "protein":
            if spelling.tokens == "kmers" and spelling.k <= LARGEST_COUNTED:
                return counted_kmers(samples.texts, alphabet, spelling.k, stride=spelling.stride)
            return counted_kmers(samples.texts, alphabet, K)
        from sklearn.feature_extraction.text import HashingVectorizer

        hashed = HashingVectorizer(
            analyzer="char", ngram_range=GRAMS, n_features=HASHED, alternate_sign=False, lowercase=False
        )
        rows: np.ndarray = hashed.transform(list(samples.texts)).toarray().astype(np.float32)
        return rows


def counted_kmers(
    texts: Any, alphabet: str, k: int, *, stride: int | None = None
) -> Float[np.ndarray, "n d"]:
    """How often each k-mer occurs, as rows of length 1; k-mers with ambiguity codes aside.

    Without a stride, all are counted, each and its reverse complement together; with one, those that begin at its
    multiples.

    >>> rows = counted_kmers(["AAAC"], "dna", 2)
    >>> rows.shape, rows[0].nonzero()[0].tolist()  # AA (or TT), AC (or GT)
    ((1, 10), [0, 1])
    """
    letters = LETTERS[alphabet]
    names = ["".join(letters[place // 4**i % 4] for i in reversed(range(k))) for place in range(4**k)]
    strands = [min(name, reverse_complement(name, alphabet)) for name in names]
    kept, column = np.unique(names if stride else strands, return_inverse=True)
    code = np.full(256, -1)
    code[[ord(letter) for letter in letters]] = np.arange(4)
    rows = np.zeros((len(texts), len(kept)), dtype=np.float32)
    for place, text in enumerate(texts):
        numbers = code[np.frombuffer(text.encode("latin-1", "replace"), dtype=np.uint8)]
        filled = np.pad(numbers, (0, max(0, k - len(numbers))), constant_values=-1)
        windows = sliding_window_view(filled, k)[:: stride or 1]
        whole = windows[(windows >= 0).all(1)] @ 4 ** np.arange(k)[::-1]
        rows[place] = np.bincount(column[whole], minlength=len(kept))
    scaled: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(min=1e-12)
    return scaled
