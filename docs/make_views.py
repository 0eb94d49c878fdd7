"""Draws the grid of augmentation operators on the built-in digits and emoji: `python docs/make_views.py`.

Each row is one view, drawn several times for one sample; the last row is what the samples get by default.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch

from replearn.data import Batch, Samples, as_float, load_data
from replearn.views import (
    Blur,
    Brightness,
    Colour,
    Contrast,
    Crop,
    Cutout,
    Elastic,
    Flip,
    Grey,
    Hue,
    Noise,
    Pair,
    RandAugment,
    Rotate,
    Same,
    Saturation,
    Scale,
    Shear,
    Shift,
    Sobel,
    Solarize,
    Stroke,
    VerticalFlip,
    View,
    default_views,
)

IMAGES = Path(__file__).parent / "images"
DRAWS = 9  # of each view, beside the sample itself
MOVES: dict[str, View] = {
    "Crop(0.2, 1.0)": Crop(0.2, 1.0),
    "Flip()": Flip(),
    "VerticalFlip()": VerticalFlip(),
    "Rotate(30)": Rotate(30.0),
    "Shear(30)": Shear(30.0),
    "Shift(0.2)": Shift(0.2),
    "Scale(0.6, 1.4)": Scale(0.6, 1.4),
    "Elastic(0.06)": Elastic(0.06),
}
SHADES: dict[str, View] = {
    "Brightness(0.6)": Brightness(0.6),
    "Contrast(0.8)": Contrast(0.8),
}
COLOURS: dict[str, View] = {
    "Saturation(1)": Saturation(1.0),
    "Hue(0.5)": Hue(0.5),
    "Grey(0.5)": Grey(0.5),
    "Colour(1)": Colour(1.0, 1.0),
}
OTHERS: dict[str, View] = {
    "Blur(0.1, 2, 1)": Blur(0.1, 2.0, 1.0),
    "Noise(0.15)": Noise(0.15),
    "Cutout(0.05, 0.25)": Cutout(0.05, 0.25),
    "Solarize(0.5, 0.5)": Solarize(0.5, 0.5),
    "RandAugment(2, 0, 1)": RandAugment(2, 0.0, 1.0),
    "Sobel()": Sobel(),
    "Stroke(1.5)": Stroke(1.5),
}


def repeated(samples: Samples, position: int) -> Batch:
    """One sample, as many times as it is drawn."""
    return samples[np.full(DRAWS, position)]


def draw_grid(samples: Samples, position: int, views: dict[str, View], path: Path) -> None:
    """One picture: a row for each view, the sample itself first."""
    torch.manual_seed(0)
    batch = repeated(samples, position)
    rows = {name: torch.cat([as_float(batch.x[:1]), view(batch).x]) for name, view in views.items()}
    figure, axes = plt.subplots(len(rows), DRAWS + 1, figsize=(0.62 * (DRAWS + 3), 0.64 * len(rows)))
    for (name, images), line in zip(rows.items(), axes, strict=True):
        for image, axis in zip(images, line, strict=True):
            axis.imshow(image.permute(1, 2, 0), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set(color="0.8", linewidth=0.5)
        line[0].spines[:].set(color="tab:orange", linewidth=1.5)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8, family="monospace")
    figure.subplots_adjust(left=0.2, right=0.995, top=0.995, bottom=0.005, wspace=0.06, hspace=0.06)
    figure.savefig(path, dpi=90)
    plt.close(figure)


def main() -> None:
    """Draw `docs/images/views_digits.png` and `docs/images/views_emoji.png`."""
    IMAGES.mkdir(exist_ok=True)
    digits, emoji = load_data("digits"), load_data("emoji")
    for samples, position, views, name in (
        (digits, 1, MOVES | SHADES | OTHERS, "digits"),
        (emoji, 25, MOVES | SHADES | COLOURS | OTHERS, "emoji"),
    ):
        split = default_views(samples)
        assert isinstance(split, Pair)
        shown = {"Same()": Same(), **views, "default_views": split.view}
        draw_grid(samples, position, shown, IMAGES / f"views_{name}.png")


if __name__ == "__main__":
    main()
