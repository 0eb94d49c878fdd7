"""The tokenizer beside an exported network of texts: `tokenizer.json`, which cuts and fills up as ours does."""

from collections.abc import Callable
from pathlib import Path

import torch

from replearn.data import Batch, Texts
from replearn.service.exports.exported import OfTokens

FILE = "tokenizer.json"


def write_tokenizer(exported: OfTokens, folder: Path) -> None:
    """Write `tokenizer.json`: its ids are cut at the longest text that the network reads, and filled up."""
    from tokenizers import Tokenizer

    encoder = exported.encoder
    own = encoder.vocabulary.tokenizer
    tokenizer = Tokenizer.from_str(own.inner.to_str())
    tokenizer.enable_truncation(encoder.length)
    tokenizer.enable_padding(pad_id=encoder.pad, pad_token=own.words[encoder.pad])
    tokenizer.save(str(folder / FILE))


def ids_in(folder: Path, texts: list[str]) -> list[list[int]]:
    """What `tokenizer.json` in a folder makes of texts, filled up to one length."""
    from tokenizers import Tokenizer

    return [one.ids for one in Tokenizer.from_file(str(folder / FILE)).encode_batch(texts)]


def check_tokens(exported: OfTokens, ids: Callable[[list[str]], list[list[int]]]) -> None:
    """Raises ValueError where texts are read otherwise than the run does.

    Args:
        exported: of the run.
        ids: what is to be checked: ids of texts, filled up to one length.
    """
    texts, own = example_texts(exported), exported.encoder.vocabulary.tokenizer
    labels = torch.zeros(len(texts), dtype=torch.int64)
    read = exported.encoder.vocabulary.read(Batch(Texts(texts), labels, labels), exported.encoder.length)
    if ids(own.spaced(texts)) != read.ids.tolist():
        raise ValueError(
            f"{FILE} must read texts as the run does; some ids differ. Nothing is kept: `replearn embed` writes "
            "representations."
        )


def example_texts(exported: OfTokens) -> list[str]:
    """Some texts of the run's tokens: short ones, and one that is cut."""
    ids, mask = exported.drawn(4, seed=1)
    own = exported.encoder.vocabulary.tokenizer
    short = [own.decode(row[keep].tolist()) for row, keep in zip(ids, mask.bool(), strict=True)]
    return [*short, " ".join([*short, "to be or not to be"] * exported.encoder.length)]
