"""A folder that open_clip reads: `open_clip.create_model_and_transforms("local-dir:FOLDER")`."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from replearn.data.needed import needed
from replearn.service.exports.exported import generator_of
from replearn.service.exports.huggingface_folder import save_tokenizer, silent
from replearn.service.exports.networks import check_same
from replearn.service.exports.openclip_towers import Tower, tower_of_images, tower_of_texts
from replearn.service.exports.pairs import INSTEAD, OfPairs

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
HERE = "local-dir:."
SOME = 20  # images by which is measured what resizing changes
LOADER = """import open_clip
import torch
from PIL import Image

model, _, preprocess = open_clip.create_model_and_transforms("local-dir:.")
tokenizer = open_clip.get_tokenizer("local-dir:.")
model.eval()
with torch.no_grad():
    image = model.encode_image(preprocess(Image.open("photo.png"))[None], normalize=True)
    text = model.encode_text(tokenizer(["a cat", "a dog"]), normalize=True)
    {shares}"""
SOFTMAX = "shares = (model.logit_scale.exp() * image @ text.T).softmax(1)"
SIGMOID = "probabilities = (model.logit_scale.exp() * image @ text.T + model.logit_bias).sigmoid()"


def write(exported: OfPairs, folder: Path) -> None:
    """Write both encoders in open_clip's layout, with the tokenizer and how images are prepared.

    Raises:
        ValueError: open_clip is missing, or has no class for one of the encoders.
    """
    library = the_library()
    image, text = tower_of_images(exported), tower_of_texts(exported)
    quick = {tower.quick for tower in (image, text)} - {None}
    if len(quick) == 2:
        raise ValueError(
            "both encoders must have one activation, since open_clip has one for both; these have GELU and CLIP's own. "
            f"Train with another --encoder; {INSTEAD}"
        )
    scale: Any = exported.model.scale_  # type: ignore[attr-defined]
    state = {"logit_scale": scale.log.detach()}
    config: dict[str, Any] = {
        "embed_dim": exported.outputs[0].shape[1],
        "custom_text": True,
        "quick_gelu": True in quick,
    }
    if scale.bias is not None:
        state["logit_bias"], config["init_logit_bias"] = scale.bias.detach(), 0.0
    tokens = {"context_length": exported.texts.length, "hf_tokenizer_name": "tokenizer.json"}
    config |= {"vision_cfg": image.config, "text_cfg": text.config | tokens}
    mean, std = (numbers.expand(3).tolist() for numbers in (exported.images.mean, exported.images.std))
    resized = exported.size != tuple(exported.model.samples_.members[exported.image].shape[1:])
    prepared = {"mean": mean, "std": std, "interpolation": "bilinear" if resized else "bicubic"}
    told = {"model_cfg": config, "preprocess_cfg": prepared | {"resize_mode": "shortest"}}
    (folder / CONFIG).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    if is_named(text):
        network: Any = exported.texts.net.config
        network.pad_token_id = exported.texts.pad
        network.save_pretrained(folder)
    save_tokenizer(exported.texts, folder)
    state |= {f"visual.{key}": value for key, value in image.state.items()}
    state |= {f"text.{key}": value for key, value in text.state.items()}
    unfilled = config | {"text_cfg": config["text_cfg"] | {"hf_model_pretrained": False}}
    del unfilled["custom_text"]
    with within(folder):
        again = library.CustomTextCLIP(**unfilled)
    check_same(state, again.state_dict(), "open_clip's classes", f"Train with another --encoder; {INSTEAD}")
    save_file({key: value.clone().contiguous() for key, value in state.items()}, folder / WEIGHTS)


def reopen(folder: Path) -> Callable[..., list[np.ndarray]]:
    """What open_clip makes of the folder: pictures go through its own preprocessing."""
    library = the_library()
    with within(folder):  # as the lines of the card do
        model, _, preprocess = library.create_model_and_transforms(HERE)
    model.eval()

    @torch.no_grad()
    def answer(images: Tensor, ids: Tensor) -> list[np.ndarray]:
        pixels = torch.stack([preprocess(picture) for picture in _pictures(images)])  # (n, 3, h, w)
        found = [model.encode_image(pixels), model.encode_text(ids), model.logit_scale.exp().view(1)]
        return [
            one.numpy() for one in (*found, *([] if model.logit_bias is None else [model.logit_bias.view(1)]))
        ]

    return answer


def ids_in(folder: Path, texts: list[str]) -> list[list[int]]:
    """What the library makes of texts, filled up to one length."""
    with within(folder):
        found: list[list[int]] = the_library().get_tokenizer(HERE)(texts).tolist()
    return found


def cleaned(text: str) -> str:
    """A text as open_clip's tokenizers read it: mended by ftfy, without HTML's entities and runs of blanks."""
    return str(needed("open_clip.tokenizer", "this form needs").get_clean_fn("whitespace")(text))


def loader(exported: OfPairs) -> str:
    """A few lines of Python that tell images apart by names."""
    return LOADER.format(shares=SOFTMAX if exported.model.scale_.bias is None else SIGMOID)  # type: ignore[attr-defined]


def told(exported: OfPairs, folder: Path) -> str:
    """What a user of the folder must know."""
    lines = [
        "open_clip's tokenizer first mends a text (ftfy, HTML's entities, runs of blanks): one that has such things "
        "is read otherwise than by the run."
    ]
    if "hf_model_name" in json.loads((folder / CONFIG).read_text(encoding="utf-8"))["model_cfg"]["text_cfg"]:
        lines.append(
            "Run these lines inside the folder: open_clip looks for the text network's `config.json` where Python runs."
        )
    shape = exported.model.samples_.members[exported.image].shape
    if tuple(shape[1:]) != exported.size:
        images = torch.randint(0, 256, (SOME, *shape), dtype=torch.uint8, generator=generator_of(0))
        ids = exported.drawn(SOME, seed=0)[1]
        own, found = exported.answers((images, ids))[0], reopen(folder)(images, ids)[0]
        worst = np.abs(own - found).max() / np.abs(own).max()
        lines.append(
            f"The run's images have {shape[1]} x {shape[2]} pixels, and are resized to {exported.size[0]} x "
            f"{exported.size[1]} inside it; here Pillow does that, which rounds to whole levels: on {SOME} random "
            f"images answers differ by at most {worst:.1e} of the largest number."
        )
    return "\n".join(lines)


def is_named(tower: Tower) -> bool:
    """Whether open_clip makes it by a configuration of the Hugging Face libraries."""
    return "hf_model_name" in tower.config


@contextmanager
def within(folder: Path) -> Iterator[None]:
    """While entered, Python runs in a folder, and what libraries say goes nowhere new.

    open_clip tells the root logger, which then gets a handler if it has none.
    """
    handler = logging.NullHandler()
    logging.root.addHandler(handler)
    try:
        with silent(), chdir(folder):
            yield
    finally:
        logging.root.removeHandler(handler)


def _pictures(images: Tensor) -> list[Image.Image]:
    """Bytes `(n, c, h, w)` as pictures, grey or in colour."""
    rows = images.permute(0, 2, 3, 1).numpy()  # (n, h, w, c)
    return [Image.fromarray(row[..., 0] if row.shape[2] == 1 else row) for row in rows]


def the_library() -> Any:
    """The package open_clip, whose import leaves the environment as it was.

    Raises:
        ValueError: it is not installed.
    """
    before = os.environ.get("TOKENIZERS_PARALLELISM")
    found = needed("open_clip", "this form needs")
    if before is None:
        os.environ.pop("TOKENIZERS_PARALLELISM", None)
    else:
        os.environ["TOKENIZERS_PARALLELISM"] = before
    return found
