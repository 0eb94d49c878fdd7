"""The encoders of a CLIP in the layout of open_clip: which of its classes holds each, its settings, its weights.

open_clip's own transformer of images always has a class token, which all patches attend to; nothing else differs from
timm's plain vision transformers, whose bias of patches goes into the positions. Of texts it has the transformer of
CLIP, and reads networks of the Hugging Face libraries that stand in its table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data.tokenizer import LAST
from replearn.encoders import Encoder, TextEncoder, Vocabulary
from replearn.encoders.folders import CLIP_TEXTS
from replearn.encoders.image_folders import CLIP_IMAGES
from replearn.encoders.transformer import Transformer
from replearn.encoders.two_halves import ProjectedTexts, VisionBody
from replearn.service.exports.networks import architecture, check_same
from replearn.service.exports.pairs import INSTEAD, OfPairs

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue in grey, as Pillow has it (ITU-R 601-2)
POOLERS = {"mean": "mean_pooler", "first": "cls_last_hidden_state_pooler"}
BLOCK = "transformer.resblocks.{}."

State = dict[str, Tensor]


@dataclass
class Tower:
    """An encoder as open_clip has it.

    Attributes:
        config: what its `vision_cfg` or `text_cfg` says.
        state: its weights.
        quick: whether its activation is CLIP's own, x sigmoid(1.702 x); None: its class has its own.
    """

    config: dict[str, Any]
    state: State = field(default_factory=dict)
    quick: bool | None = None


def tower_of_images(exported: OfPairs) -> Tower:
    """The encoder of images.

    Raises:
        ValueError: none of open_clip's classes holds it.
    """
    encoder, head = exported.images, exported.model.heads_[exported.image]  # type: ignore[attr-defined]
    net, body = encoder.net, encoder.body
    sizes = {"image_size": list(exported.size)}
    if type(body) is VisionBody and body.projection is not None and net.config.model_type == CLIP_IMAGES:  # type: ignore[union-attr]
        made = _clip_images(net, joined(body.projection, head))
    elif architecture(encoder) and not any(side % body.patch for side in exported.size):  # type: ignore[operator]
        plain = _is_plain(net)
        made = _plain_vit(net, joined(None, head)) if plain else _timm_trunk(encoder, exported, head)
    else:
        raise ValueError(
            "open_clip holds images by a vision transformer with a class token, or by a network of timm as it is for "
            f"more than 64 pixels; the encoder of {exported.image!r} is {type(net).__name__}. Train with --encoder "
            f"{exported.image}=vit_tiny_patch16_224 or {exported.image}=hf:FOLDER of a CLIP, say; {INSTEAD}"
        )
    return Tower(made.config | sizes, made.state, made.quick)


def tower_of_texts(exported: OfPairs) -> Tower:
    """The encoder of texts.

    Raises:
        ValueError: none of open_clip's classes holds it.
    """
    from open_clip.hf_configs import arch_dict

    encoder, head = exported.texts, exported.model.heads_[exported.text]  # type: ignore[attr-defined]
    body, vocabulary = encoder.body, encoder.vocabulary
    plain = type(encoder) is TextEncoder and type(vocabulary) is Vocabulary
    inner: Any = body.net
    known = plain and vocabulary.tokenizer.kmers is None and type(inner) is Transformer
    config: Any = inner.net.config if known else None
    kind = getattr(config, "model_type", None)
    if type(body) is ProjectedTexts and kind == CLIP_TEXTS:
        return _clip_texts(encoder, joined(body.projection, head))
    # Those that have a decoder, too, are read otherwise.
    if kind not in arch_dict or config.is_encoder_decoder or body.pooling not in POOLERS:
        raise ValueError(
            "open_clip holds texts by BERT or RoBERTa, of whose states the first or the mean is taken, or by CLIP's "
            f"own transformer; the encoder of {exported.text!r} is {type(encoder.net).__name__}. Train with --encoder "
            f"{exported.text}=bert_mini or {exported.text}=hf:FOLDER of a CLIP, say; {INSTEAD}"
        )
    told = {"hf_model_name": ".", "hf_proj_type": "linear", "hf_pooler_type": POOLERS[body.pooling]}
    state = {f"transformer.{key}": value for key, value in inner.net.state_dict().items()}
    return Tower(told, state | {"proj.weight": joined(None, head, encoder.dim)})


def joined(projection: nn.Module | None, head: nn.Module, dim: int = 0) -> Float[Tensor, "d dim"]:
    """The linear map from what a network says into the space of both members."""
    first = projection.weight if isinstance(projection, nn.Linear) else None
    last = head.weight if isinstance(head, nn.Linear) else None
    if first is None:
        return torch.eye(dim) if last is None else last.detach().clone()
    return first.detach().clone() if last is None else last.detach() @ first.detach()


def _is_plain(net: Any) -> bool:
    """Whether a network of timm is a vision transformer whose class token stands for the image."""
    from timm.models.vision_transformer import VisionTransformer

    return (
        isinstance(net, VisionTransformer)
        and net.global_pool == "token"
        and net.cls_token is not None
        and net.num_prefix_tokens == 1
        and net.pos_embed is not None
        and isinstance(net.patch_embed.proj, nn.Conv2d)
    )


def _plain_vit(net: Any, projection: Tensor) -> Tower:
    """timm's plain vision transformers; grey images are the sum of the shares of three colours."""
    state = dict(net.state_dict())
    conv = state.pop("patch_embed.proj.weight")  # (width, c, patch, patch)
    if conv.shape[1] == 1:
        conv = conv * torch.tensor(LUMA).view(1, 3, 1, 1)
    places, token = state.pop("pos_embed")[0], state.pop("cls_token")[0, 0]
    if net.no_embed_class:
        places = torch.cat([torch.zeros_like(places[:1]), places])  # (1 + p, width)
    bias = state.pop("patch_embed.proj.bias", torch.zeros(len(token)))
    places = torch.cat([places[:1], places[1:] + bias])
    found = {"conv1.weight": conv, "class_embedding": token, "positional_embedding": places}
    found["proj"] = projection.T.contiguous()
    heads, block = net.blocks[0].attn.num_heads, net.blocks[0]
    config = _sizes(len(net.blocks), len(token), heads, block.mlp.fc1.out_features, block.norm1.eps)
    scaled = "blocks.0.ls1.gamma" in state
    pre = "norm_pre.weight" in state
    config |= {"patch_size": net.patch_embed.patch_size[0], "no_ln_pre": not pre}
    config |= {"ls_init_value": 1.0} if scaled else {}
    names = {"norm_pre": "ln_pre", "norm": "ln_post"}
    parts = {"norm1": "ln_1", "attn.proj": "attn.out_proj", "norm2": "ln_2"}
    parts |= {"mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
    for i in range(len(net.blocks)):
        names |= {f"blocks.{i}.{own}": BLOCK.format(i) + other for own, other in parts.items()}
        for kind in ("weight", "bias"):
            found[BLOCK.format(i) + f"attn.in_proj_{kind}"] = state.pop(f"blocks.{i}.attn.qkv.{kind}", None)
        for own, other in (("ls1", "ls_1"), ("ls2", "ls_2")) if scaled else ():
            found[BLOCK.format(i) + f"{other}.gamma"] = state.pop(f"blocks.{i}.{own}.gamma")
    made = {key: value for key, value in found.items() if value is not None}
    return Tower(config, made | renamed(state, names), type(block.mlp.act).__name__ == "QuickGELU")


def _timm_trunk(encoder: Encoder, exported: OfPairs, head: nn.Module) -> Tower:
    """Other networks of timm, which open_clip makes by their name alone: for three channels, in their own size."""
    import timm

    name = architecture(encoder)
    again: Any = timm.create_model(name, pretrained=False, num_classes=0)
    state = encoder.net.state_dict()
    instead = f"Train on larger images in colour, or with --encoder {exported.image}=vit_tiny_patch16_224; {INSTEAD}"
    check_same(state, again.state_dict(), f"timm's {name}, as open_clip makes it", instead)
    told = {"timm_model_name": name, "timm_pool": "", "timm_proj": "linear"}
    trunk = {f"trunk.{key}": value for key, value in state.items()}
    return Tower(told, trunk | {"head.proj.weight": joined(None, head)})


def _clip_images(net: Any, projection: Tensor) -> Tower:
    state = {key.removeprefix("vision_model."): value for key, value in net.state_dict().items()}
    names = {
        "embeddings.class_embedding": "class_embedding",
        "embeddings.patch_embedding": "conv1",
        "pre_layrnorm": "ln_pre",
        "post_layernorm": "ln_post",
    }
    found = {"positional_embedding": state.pop("embeddings.position_embedding.weight")}
    found["proj"] = projection.T.contiguous()
    config = _sizes_of(net.config) | {"patch_size": net.config.patch_size}
    return Tower(config, found | _clip_blocks(state, names), net.config.hidden_act == "quick_gelu")


def _clip_texts(encoder: TextEncoder, projection: Tensor) -> Tower:
    net: Any = encoder.net
    state = {key.removeprefix("text_model."): value for key, value in net.state_dict().items()}
    names = {"embeddings.token_embedding": "token_embedding", "final_layer_norm": "ln_final"}
    places = state.pop("embeddings.position_embedding.weight")[: encoder.length]
    found = {"positional_embedding": places.clone(), "text_projection": projection.T.contiguous()}
    config = _sizes_of(net.config) | {"heads": net.config.num_attention_heads}
    config |= {"vocab_size": net.config.vocab_size, "pool_type": "eos"}
    config |= {"eos_id": encoder.vocabulary.tokenizer.special(LAST), "pad_id": encoder.pad}
    del config["head_width"]
    return Tower(config, found | _clip_blocks(state, names), net.config.hidden_act == "quick_gelu")


def _clip_blocks(state: State, names: Mapping[str, str]) -> State:
    """Blocks of the Hugging Face libraries' CLIP, whose queries, keys and values lie apart."""
    parts = {"self_attn.out_proj": "attn.out_proj", "layer_norm1": "ln_1", "layer_norm2": "ln_2"}
    parts |= {"mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
    found, all_names, i = {}, dict(names), 0
    while f"encoder.layers.{i}.layer_norm1.weight" in state:
        own = f"encoder.layers.{i}."
        for kind in ("weight", "bias"):
            rows = [state.pop(f"{own}self_attn.{one}_proj.{kind}") for one in "qkv"]
            found[BLOCK.format(i) + f"attn.in_proj_{kind}"] = torch.cat(rows)
        all_names |= {own + part: BLOCK.format(i) + other for part, other in parts.items()}
        i += 1
    return found | renamed(state, all_names)


def renamed(state: Mapping[str, Tensor], names: Mapping[str, str]) -> State:
    """Weights by the names that their layers have elsewhere; those of others keep their own."""
    found = {}
    for key, value in state.items():
        layer, _, kind = key.rpartition(".")
        found[names[key] if key in names else f"{names.get(layer, layer)}.{kind}"] = value
    return found


def _sizes_of(config: Any) -> dict[str, Any]:
    heads, hidden = config.num_attention_heads, config.intermediate_size
    return _sizes(config.num_hidden_layers, config.hidden_size, heads, hidden, config.layer_norm_eps)


def _sizes(layers: int, width: int, heads: int, hidden: int, eps: float) -> dict[str, Any]:
    """A transformer's, as both of open_clip's are told them."""
    ratio = hidden / width
    if int(width * ratio) != hidden:  # as open_clip goes back
        ratio = (hidden + 0.5) / width
    told = {"layers": layers, "width": width, "head_width": width // heads, "mlp_ratio": ratio}
    return told | {"norm_kwargs": {"eps": eps}}
