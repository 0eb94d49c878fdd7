"""Draws what is in codes of digits: `python docs/make_codes.py`, or some of it: `python docs/make_codes.py manifold`.

Methods are fitted with seed 0 and kept in a folder for the other pictures (`--runs`).
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import replearn
from replearn.methods import Model, find_method
from replearn.methods.arrays import save_arrays
from replearn.report import interpolation_figure, manifold_figure, traversal_figure
from replearn.report.components import components_figure, reconstruction_figure
from replearn.report.map import embed_in_plane

IMAGES = Path(__file__).parent / "images"
SHOWN = 12  # digits whose reconstructions are shown
POINTS = 1500  # on the map
SIZES = (2, 8, 32)  # of the autoencoder's codes
TRAINED = {"epochs": 20, "batch_size": 128}


class Fitted:
    """Methods fitted on built-in data, each once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, data: str = "digits", **fields: Any) -> Any:
        told = "-".join([name, data, *(f"{key}={value}" for key, value in sorted(fields.items()))])
        run, samples = self.folder / told, replearn.load_data(data, split="train")
        if (run / "weights.safetensors").exists():
            return replearn.load(run)
        cls = find_method(name).cls
        method = cls(**fields, random_state=0)
        if isinstance(method, Model):
            return method.fit(samples, run=run, resume=(run / "method.json").exists())
        method.fit(samples.flat())
        save_arrays(method, samples, run)
        return method


def components(fitted: Fitted) -> Figure:
    """What classical codes are made of, and filters of a Boltzmann machine and of patches."""
    shape = (28, 28)
    sheets = {
        "20 centres of k-means": fitted("kmeans", n_clusters=20).cluster_centers_,
        "PCA": fitted("pca", n_components=20).components_,
        "ICA": fitted("fastica", n_components=20).components_,
        "NMF": fitted("nmf", n_components=20, max_iter=500).components_,
        "dictionary": fitted("minibatchdictionarylearning", n_components=20).components_,
        "RBM": fitted("rbm", epochs=20).filters()[:20],
    }
    figure = Figure(figsize=(9, 5.4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (name, atoms) in zip(figure.subplots(2, 3).ravel(), sheets.items(), strict=True):
        own = components_figure(atoms.reshape(-1, *shape), columns=5)
        axes.imshow(own.axes[0].images[0].get_array(), interpolation="nearest")
        axes.set_title(name, fontsize=9)
        axes.set_axis_off()
    return figure


def patches(fitted: Fitted) -> Figure:
    """Atoms of whitened patches, 8 pixels a side."""
    return components_figure(fitted("patchcodes", atoms=100).pictures(), columns=20)


def reconstructions(fitted: Fitted) -> Figure:
    """Digits, and what codes of several sizes and kinds keep of them."""
    test = replearn.load_data("digits", split="test")
    chosen = test.subset(np.arange(SHOWN))
    fits = {f"autoencoder, {size}": fitted("autoencoder", dim=size, **TRAINED) for size in SIZES}
    fits["VAE, 32"] = fitted("vae", dim=32, **TRAINED)
    fits["BiGAN, 50"] = fitted("bigan")
    made = {name: method.inverse_transform(method.transform(chosen)) for name, method in fits.items()}
    pca = fitted("pca", n_components=20)
    made["PCA, 20"] = pca.inverse_transform(pca.transform(chosen.flat())).reshape(-1, 1, 28, 28)
    return reconstruction_figure(chosen.flat().reshape(-1, 1, 28, 28), made)


def samples(fitted: Fitted) -> Figure:
    """Digits that nobody wrote."""
    makers = {
        "VAE": ("vae", {"dim": 32, **TRAINED}),
        "BiGAN": ("bigan", {}),
        "deep belief network": ("deepbelief", {"epochs": 40}),
    }
    figure = Figure(figsize=(9, 3.3), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (title, (name, fields)) in zip(figure.subplots(1, 3), makers.items(), strict=True):
        made = fitted(name, **fields).sample(36)
        own = components_figure(np.clip(made, 0, 1), columns=6, alike=True)
        axes.imshow(own.axes[0].images[0].get_array(), interpolation="nearest")
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    return figure


def manifold(fitted: Fitted) -> Figure:
    """All that a code of two numbers can say."""
    return manifold_figure(fitted("vae", dim=2, **TRAINED), replearn.load_data("digits", split="test"))


def interpolations(fitted: Fitted) -> Figure:
    """Ways between digits, through pixels and through the codes of a VAE."""
    return interpolation_figure(
        fitted("vae", dim=32, **TRAINED), replearn.load_data("digits", split="test"), pairs=3
    )


def traversals(fitted: Fitted) -> Figure:
    """What each unit of a β-VAE's code stands for, on shapes."""
    method = fitted("betavae", "shapes", dim=8, beta=4.0, **TRAINED)
    return traversal_figure(method, replearn.load_data("shapes", split="test"), units=8)


def tsne(fitted: Fitted) -> Figure:
    """Codes of a VAE on a map, coloured by class."""
    test = replearn.load_data("digits", split="test").subset(np.arange(POINTS))
    places = embed_in_plane(fitted("vae", dim=32, **TRAINED).transform(test))
    figure = Figure(figsize=(5.5, 5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    drawn = axes.scatter(*places.T, c=test.labels, cmap="tab10", s=5)
    axes.legend(
        *drawn.legend_elements(), title="digit", fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5)
    )
    axes.set_axis_off()
    return figure


PICTURES: dict[str, Callable[[Fitted], Figure]] = {
    drawing.__name__: drawing
    for drawing in (components, patches, reconstructions, samples, manifold, interpolations, traversals, tsne)
}


def draw(about: str | None, pictures: dict[str, Callable[[Fitted], Figure]], kind: str) -> None:
    """Draw the pictures that the command line names, or all of a kind (`codes`, `answers`)."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("names", nargs="*", choices=[*pictures, []], help="none: all")
    parser.add_argument("--runs", type=Path, default=Path(tempfile.gettempdir()) / f"replearn-{kind}")
    asked = parser.parse_args()
    for name in asked.names or pictures:
        pictures[name](Fitted(asked.runs)).savefig(IMAGES / f"{kind}_{name}.png")
        print(IMAGES / f"{kind}_{name}.png", flush=True)


if __name__ == "__main__":
    draw(__doc__, PICTURES, "codes")
