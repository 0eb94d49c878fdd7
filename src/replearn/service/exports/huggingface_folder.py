"""A folder of the Hugging Face libraries, laid out as sentence-transformers reads it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from replearn.encoders import TextEncoder
from replearn.encoders.transformer import Transformer, the_library
from replearn.service.exports.exported import Exported
from replearn.service.exports.networks import OTHERS, encoder_behind

POOLING = "1_Pooling/config.json"
LOADER = """from sentence_transformers import SentenceTransformer

h = SentenceTransformer(".").encode(["to be or not to be"])"""
BARE = """import torch
from transformers import AutoModel, AutoTokenizer

tokenizer, net = AutoTokenizer.from_pretrained("."), AutoModel.from_pretrained(".").eval()
read = tokenizer(["to be or not to be"], padding=True, truncation=True, return_tensors="pt")
with torch.no_grad():
    states = net(**read).last_hidden_state
h = {pooled}"""
POOLED = {
    "mean": "(states * read.attention_mask[..., None]).sum(1) / read.attention_mask.sum(1, keepdim=True)",
    "first": "states[:, 0]",
    "last": "states[torch.arange(len(states)), read.attention_mask.sum(1) - 1]",
}


def write(exported: Exported, folder: Path) -> None:
    """Write a transformer over tokens as the Hugging Face libraries do, and as sentence-transformers reads it.

    Raises:
        ValueError: the network is no transformer of the library, or its tokenizer cuts sequences into k-mers.
    """
    encoder = encoder_behind(exported)
    if not isinstance(encoder, TextEncoder) or not isinstance(encoder.body.net, Transformer):
        raise ValueError(
            f"such a folder holds transformers over tokens; this network is {type(encoder.net).__name__}. {OTHERS}"
        )
    if encoder.vocabulary.tokenizer.kmers is not None:
        raise ValueError(f"such a folder has no tokenizer into k-mers; this run has one. {OTHERS}")
    net: Any = encoder.net
    with silent():
        net.save_pretrained(folder)
    save_tokenizer(encoder, folder)
    pooling = encoder.body.pooling
    modes = {"mean": "mean_tokens", "first": "cls_token", "last": "lasttoken"}
    told = {f"pooling_mode_{name}": mode == pooling for mode, name in modes.items()}
    parts = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    (folder / "1_Pooling").mkdir()
    for name, content in (
        ("modules.json", parts),
        (POOLING, {"word_embedding_dimension": encoder.dim} | told),
        ("sentence_bert_config.json", {"max_seq_length": encoder.length, "do_lower_case": False}),
    ):
        (folder / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def save_tokenizer(encoder: TextEncoder, folder: Path) -> None:
    """Write the tokenizer of an encoder as the library reads it."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = encoder.vocabulary.tokenizer
    made: Any = PreTrainedTokenizerFast
    fast = made(
        tokenizer_object=tokenizer.inner,
        pad_token=tokenizer.words[encoder.pad],
        model_max_length=encoder.length,
        model_input_names=["input_ids", "attention_mask"],
    )
    fast.save_pretrained(folder)


def reopen(folder: Path) -> Callable[..., list[np.ndarray]]:
    """What the library makes of the folder, by the pooling that it tells."""
    from transformers import AutoModel

    with silent():
        net = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    told = json.loads((folder / POOLING).read_text(encoding="utf-8"))

    @torch.no_grad()
    def answer(ids: Tensor, mask: Tensor) -> list[np.ndarray]:
        states = net(input_ids=ids, attention_mask=mask).last_hidden_state  # (n, t, d)
        if told["pooling_mode_cls_token"]:
            return [states[:, 0].numpy()]
        if told["pooling_mode_lasttoken"]:
            return [states[torch.arange(len(states)), mask.sum(1) - 1].numpy()]
        return [((states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)).numpy()]

    return answer


def ids_in(folder: Path, texts: list[str]) -> list[list[int]]:
    """What the library makes of texts, filled up to one length."""
    from transformers import AutoTokenizer

    read = AutoTokenizer.from_pretrained(folder, local_files_only=True)(texts, padding=True, truncation=True)
    found: list[list[int]] = read["input_ids"]
    return found


@contextmanager
def silent() -> Iterator[None]:
    """While entered, the library shows no progress and no report of its own."""
    logging = the_library().utils.logging
    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()
