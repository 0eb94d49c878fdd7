"""Little models in folders, as the Hugging Face libraries write them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import torch

from replearn.data.samples import Batch
from replearn.data.text import Texts, TextSamples
from replearn.data.tokenizer import FIRST, LAST, PAD, Tokenizer
from replearn.data.tokenizer_training import train_tokenizer
from replearn.encoders import TextEncoder, make_encoder

CORPUS = ["the cat sat on the mat and the dog ran under the tree", "a big dog, a small cat!"]
TEXTS = ("the cat sat on", "a big dog ran under the tree and sat on the mat", "cat")
SIZES = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "max_position_embeddings": 64,
}  # fmt: skip


@cache
def tokenizer() -> Tokenizer:
    return train_tokenizer(CORPUS, "bytes", size=300)


def made(name: str) -> TextEncoder:
    encoder = make_encoder(name, TextSamples(CORPUS))
    assert isinstance(encoder, TextEncoder)
    return encoder


def batch(*texts: str) -> Batch:
    unknown = torch.full((len(texts),), -1)
    return Batch(Texts(texts), unknown, unknown)


def saved(net: Any, path: Path) -> Any:
    """`net`, in a folder with a tokenizer."""
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(torch.randn_like(weight) / 4)  # else all logits are nearly alike
    net.save_pretrained(path)
    (path / "tokenizer.json").write_text(tokenizer().json, encoding="utf-8")
    return net.eval()


SIDE, SHARED = 16, 12  # pixels that a little CLIP reads, and numbers in an embedding
MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.3, 0.25]
HALF = {"intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def clip_folder(path: Path, **of_images: Any) -> Any:
    """The network of a little CLIP, in a folder."""
    from transformers import CLIPConfig, CLIPModel

    ids = {"bos_token_id": FIRST, "eos_token_id": LAST, "pad_token_id": PAD}
    text = HALF | {name: tokenizer().special(token) for name, token in ids.items()}
    text |= {"hidden_size": 16, "vocab_size": tokenizer().size, "max_position_embeddings": 20}
    vision = HALF | {"hidden_size": 24, "image_size": SIDE, "patch_size": 8} | of_images
    torch.manual_seed(0)
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=SHARED)
    net = saved(CLIPModel(config), path)
    said = {"image_mean": MEAN, "image_std": STD}
    (path / "preprocessor_config.json").write_text(json.dumps(said), encoding="utf-8")
    return net


def folder(path: Path, size: int | None = None) -> Path:
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=size or tokenizer().size, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=20,
    )  # fmt: skip
    BertModel(config).save_pretrained(path)
    (path / "tokenizer.json").write_text(tokenizer().json, encoding="utf-8")
    return path
