# %% [markdown]
# # Jigsaw and context prediction: where was this piece?
#
# Cut a picture into tiles. Tell on which side of one tile another lay, or in which order nine belong. No label is
# needed; to answer, one has to know how things are put together, or to find a cheaper way, and networks find it.
#
# *Context prediction*: of two neighbouring tiles with embeddings $z_i, z_j$, which of eight directions leads from the
# first to the second? *Jigsaw*: nine tiles in an order $\pi$ of a fixed set, which order is it? Both are
# cross-entropies of a network $h$ that sees embeddings of tiles:
#
# $$L = -\log p(d \,|\, z_i, z_j), \qquad L = -\log p(\pi \,|\, z_{\pi(1)}, \ldots, z_{\pi(9)})$$

# %%
epochs = 8  # passes over the digits [1 to 200; small 1; full 40]
images = 2000  # digits to learn from [100 to 8000; small 100; full 8000]
orders = 16  # of the puzzle, that are to be told apart [2 to 1000]
noise_epochs = 6  # passes over pictures of noise, in each of the tests of guards [1 to 100; small 1; full 20]
noises = 3000  # pictures of noise [100 to 20000; small 160]
tested = 1000  # pictures to judge by [100 to 2000; small 100]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## The puzzle, and as the network solves it

# %%
import numpy as np
import torch
from matplotlib.figure import Figure

from replearn import Jigsaw, RelativePatch, as_samples, load_data
from replearn.lectures import expect, pictures

digits = load_data("digits", split="train").subset(range(images))
test = load_data("digits", split="test").subset(range(tested))
settings = {"encoder": "cnn", "epochs": epochs, "random_state": seed}
jigsaw = Jigsaw(**settings, permutations=orders).fit(digits)


def shown(method):
    """What a method shows of its answers to ten test digits; a frame is green where the answer is right."""
    torch.manual_seed(seed)
    with torch.inference_mode():
        exhibit = method.exhibit(test[np.arange(10)])
    figure = Figure(figsize=(9, 0.4 + 1.05 * len(exhibit.pictures)), layout="constrained")
    for axes, (name, tiles) in zip(
        figure.subplots(len(exhibit.pictures), 10), exhibit.pictures.items(), strict=True
    ):
        for one, picture, right in zip(axes, tiles, exhibit.right, strict=True):
            one.imshow(picture[0].numpy(), cmap="gray", vmin=0, vmax=1)
            one.set(xticks=[], yticks=[])
            one.spines[:].set(color="#2a9d4a" if right else "#d03030", linewidth=2)
        axes[0].set_title(name, loc="left", fontsize=9)
    return figure


def told(method, samples):
    """The share of questions that a method answers right, of samples it has not seen."""
    torch.manual_seed(seed)
    with torch.inference_mode():
        return float(method.measures(samples[np.arange(len(samples))])["pretext_accuracy"])


share = told(jigsaw, test)
print(f"{share:.0%} of the orders of test digits are told, of {orders}; by chance {1 / orders:.0%}")
expect(
    "The network solves puzzles: more than three times as often as chance.",
    share > 3 / orders,
    "Take more epochs.",
)
shown(jigsaw)

# %% [markdown]
# ## Two tiles: on which side was the other?

# %%
patches = RelativePatch(**settings).fit(digits)
often = float(patches.frequencies.max())
share = told(patches, test)
print(f"{share:.0%} of the directions are told; who always says the most frequent one has {often:.0%}")
expect("Directions are told better than by chance.", share > 1.2 * often, "Take more epochs.")
shown(patches)

# %% [markdown]
# ## Is what was learned of use?
#
# A linear classifier with ten labels of each class tells. The representation is of the whole digit, though the network
# has only ever seen tiles.

# %%
import pandas as pd

from replearn.evaluate import few_label_curve


def judged(rows, rows_of_test):
    """Accuracy with ten labels of each class."""
    given = rows, digits.labels, rows_of_test, test.labels
    return few_label_curve(*given, fractions=(), per_class=(10,), draws=2)["mean"][0]


untrained = Jigsaw(**settings, permutations=orders).prepare(digits)
scores = {
    "raw pixels": judged(digits.flat(), test.flat()),
    "untrained network": judged(untrained.transform(digits), untrained.transform(test)),
    "context prediction": judged(patches.transform(digits), patches.transform(test)),
    "jigsaw": judged(jigsaw.transform(digits), jigsaw.transform(test)),
}
why = "Tiles of six pixels tell little of a digit: that a pretext task is solved does not mean that it teaches much."
for name in ("context prediction", "jigsaw"):
    expect(
        f"The features of {name} beat the untrained network.", scores[name] > scores["untrained network"], why
    )
    expect(f"The features of {name} beat raw pixels.", scores[name] > scores["raw pixels"], why)
pd.Series(scores).to_frame("10 labels of each class")

# %% [markdown]
# ## Why guards
#
# Pictures of *noise* show nothing: where a tile of them was can't be known. So whatever a network tells of noise, it
# tells by a cheap trace. Here are three traces that photographs have, put into noise one by one, and the guard that
# takes each away:
#
# - **lines that go on** across a cut, where noise is smooth and tiles touch; the guard is a gap between tiles
# - **a lens that darkens** towards the border; the guard brings all tiles to one brightness and contrast (`levelled`)
# - **the middle is sharper** than the border, as it is of many lenses; the guard makes tiles coarse at random
#
# An alarm below the cell, that a network learns nothing, is good news here: with the guard there is nothing to learn.

# %%
from scipy.ndimage import gaussian_filter

from replearn.views.guards import Coarse
from replearn.views.tiles import Tiles

rng = np.random.default_rng(seed)
side = 33
rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
radius = np.hypot(rows, columns) / side  # 0 in the middle, 0.7 in the corners


def blurred(x, by):
    """Noise smoothed by so many pixels, of deviation 1."""
    x = gaussian_filter(x, (0, by, by))
    return x / x.std()


white = rng.normal(size=(noises, side, side))
traces = {
    "lines go on": blurred(white, 2.0),
    "darker border": (blurred(white, 0.5) + 3) * (1.3 - radius) - 3,
    "sharper middle": (1 - radius) * blurred(white, 0.4)
    + radius * blurred(rng.normal(size=white.shape), 1.5),
}
touching = {"share": 1.0, "jitter": 0.0, "levelled": True}
apart = {"share": 0.66, "jitter": 0.5, "levelled": True}
guards = {  # without and with the guard
    "lines go on": (Tiles(3, **touching), Tiles(3, **{**apart, "share": 0.4})),
    "darker border": (Tiles(3, **{**apart, "levelled": False}), Tiles(3, **apart)),
    "sharper middle": (Tiles(3, **apart), Tiles(3, **apart, each=Coarse(1.0, 0.25))),
}


def as_images(x):
    """Noise as grey pictures (n, 1, h, w)."""
    return (255 * (0.5 + x / 8).clip(0, 1)).round().astype(np.uint8)[:, None]


pictures({name: as_images(x[:8]) / 255 for name, x in traces.items()})

# %%
found = {}
for name, x in traces.items():
    samples = as_samples(as_images(x))
    seen, new = samples.subset(range(noises * 3 // 4)), samples.subset(range(noises * 3 // 4, noises))
    methods = [
        RelativePatch(**{**settings, "epochs": noise_epochs}, views=views).fit(seen) for views in guards[name]
    ]
    found[name] = {
        guard: told(m, new) for guard, m in zip(("without guard", "with guard"), methods, strict=True)
    }
table = pd.DataFrame(found).T
table["by chance"] = often
gain = (table[["without guard", "with guard"]] - often) / (1 - often)
for name in traces:
    expect(
        f"{name.capitalize()}: noise tells where a tile was, unless it is guarded.",
        gain["without guard"][name] > 0.05 and gain["with guard"][name] < gain["without guard"][name] / 2,
        "Either the trace was not found in so few steps (--noise-epochs 20), or the guard leaves much of it.",
    )
table

# %% [markdown]
# A network that is told a way to cheat need not learn anything else. On real pictures one can't see whether an answer
# was honest: look at what the features are worth, not at how well the pretext task is solved.
#
# ## Exercise
#
# Take the guards off the digits. Are directions told better? Are the features better?

# %% solution
bare = RelativePatch(**settings, views=Tiles(3, share=1.0, jitter=0.0, levelled=False)).fit(digits)
without = told(bare, test), judged(bare.transform(digits), bare.transform(test))
print(f"with guards: {share:.1%} of the directions, {scores['context prediction']:.1%} of the digits")
print(f"without:     {without[0]:.1%} of the directions, {without[1]:.1%} of the digits")
expect("Without guards the question is answered better.", without[0] > share)
expect(
    "But the features are no better for it.",
    without[1] <= scores["context prediction"],
    "Tiles that touch are larger, and show more of a digit; drawings have no lens and little to cheat by.",
)

# %% [markdown]
# ## Papers
#
# - Doersch, Gupta and Efros, *Unsupervised visual representation learning by context prediction*,
#   [2015](https://arxiv.org/abs/1505.05192)
# - Noroozi and Favaro, *Unsupervised learning of visual representations by solving jigsaw puzzles*,
#   [2016](https://arxiv.org/abs/1603.09246)
