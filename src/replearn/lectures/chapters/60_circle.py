# %% [markdown]
# # What contrast does: alignment and uniformity
#
# The loss of SimCLR does two things at once: it pulls the two views of one picture together, and pushes everything
# else apart, until the pictures fill the sphere. On a circle one can see both.
#
# Embeddings $z$ are scaled to length 1, so they lie on a sphere. *Alignment* is how far apart two views of one picture
# are; *uniformity* how evenly pictures fill the sphere. Both are better when smaller.
#
# $$\mathrm{align} = \dfrac{1}{n} \sum_i \Vert a_i - b_i \Vert^2$$
#
# $$\mathrm{uniform} = \log \dfrac{1}{n (n - 1)} \sum_{i \neq j} \exp(-2 \Vert z_i - z_j \Vert^2)$$
#
# Each alone is easy. If all pictures have one embedding, alignment is perfect and nothing is known: the collapse. If
# embeddings are drawn at random, uniformity is perfect and nothing is known, either.

# %%
epochs = 10  # passes over the digits [1 to 200; small 4; full 40]
images = 2000  # digits to learn from [200 to 8000; small 200; full 8000]
shown = 500  # digits of the test part to judge and to draw by [100 to 2000; small 100]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## Five ways to learn two numbers
#
# The head of each network ends in two numbers, so that the sphere is a circle. The network is a small one without
# convolutions, which is quick. *Alignment only* and *uniformity only* leave one half of the loss away. Where a training
# collapses, replearn raises an alarm, which stands below the cell.

# %%
import torch

from replearn import AlignUniform, SimCLR, load_data
from replearn.views import default_views

digits = load_data("digits", split="train").subset(range(images))
test = load_data("digits", split="test").subset(range(shown))
settings = {"encoder": "mlp", "dim": 2, "batch_size": 128, "random_state": seed}
methods = {
    "alignment only": AlignUniform(**settings, epochs=epochs, uniformity=0.0),
    "uniformity only": AlignUniform(**settings, epochs=epochs, alignment=0.0),
    "both": AlignUniform(**settings, epochs=epochs),
    "SimCLR": SimCLR(**settings, epochs=epochs),
}
fitted = {"untrained": SimCLR(**settings).prepare(digits)}
fitted |= {name: method.fit(digits) for name, method in methods.items()}

# %%
import numpy as np
import pandas as pd

from replearn.evaluate import alignment, uniformity
from replearn.lectures import expect


def embedded(method, samples):
    """Points on the circle: what comes out of the head, scaled to length 1."""
    with torch.inference_mode():
        z = method.embed(torch.as_tensor(method.transform(samples))).numpy()
    return z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-12)


torch.manual_seed(seed)
a, b = default_views(digits)(test[np.arange(shown)])  # two views of each digit
measured = {
    name: {
        "alignment": alignment(*(embedded(method, view.x.float().numpy()) for view in (a, b))),
        "uniformity": uniformity(embedded(method, test)),
    }
    for name, method in fitted.items()
}
table = pd.DataFrame(measured).T
table.index.name = "method"
align, uniform = table["alignment"], table["uniformity"]
more = "Learn for longer: --epochs 40."
expect(
    "The network trained for alignment only is the best aligned.", align.idxmin() == "alignment only", more
)
expect("It is the least uniform of those that were trained.", uniform[1:].idxmax() == "alignment only", more)
expect(
    "The one trained for uniformity only is less aligned than SimCLR.",
    align["uniformity only"] > align["SimCLR"],
    more,
)
expect(
    "Before training digits lie together; SimCLR spreads them out.",
    uniform["SimCLR"] < uniform["untrained"],
    "On a circle a random head spreads them about as evenly; what training adds is who lies beside whom, see below.",
)
table

# %% [markdown]
# ## The circles
#
# Each test digit is a dot on the circle, coloured by its class, which no method was told. Dots lie a little outside
# or inside of it, so that more of them are seen.

# %%
from matplotlib.figure import Figure

figure = Figure(figsize=(11, 2.9), layout="constrained")
scatter = np.random.default_rng(seed).normal(1, 0.05, (shown, 1))
for axes, (name, method) in zip(figure.subplots(1, len(fitted)), fitted.items(), strict=True):
    points = embedded(method, test) * scatter
    dots = axes.scatter(*points.T, c=test.labels, cmap="tab10", vmin=-0.5, vmax=9.5, s=5, rasterized=True)
    axes.set(title=name, aspect="equal", xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), xticks=[], yticks=[])
figure.colorbar(dots, ax=axes, ticks=range(10), label="digit")
figure

# %% [markdown]
# Aligned alone, the dots flock together; spread alone, they lie all around, and colours are mixed. Where both are
# asked for, a class can have an arc of its own. Two numbers are few for ten classes. How many digits do the nearest
# points on the circle tell?

# %%
from replearn.evaluate import knn_probe

half = shown // 2
labels = test.labels
told = {
    name: knn_probe(z[:half], labels[:half], z[half:], labels[half:])
    for name, z in ((name, embedded(method, test)) for name, method in fitted.items())
}
expect(
    "By SimCLR's circle more digits are told than by that of uniformity alone.",
    told["SimCLR"] > told["uniformity only"],
    more,
)
expect(
    "By SimCLR's circle more digits are told than before training.", told["SimCLR"] > told["untrained"], more
)
pd.DataFrame({"told by the nearest on the circle": told})

# %% [markdown]
# ## Exercise
#
# What is the smallest uniformity that points on a circle can have? Place them evenly, and at random, and compare.

# %% solution
even = 2 * np.pi * np.arange(shown) / shown
random = np.random.default_rng(seed).uniform(0, 2 * np.pi, shown)
evenly, at_random = (uniformity(np.stack([np.cos(at), np.sin(at)], 1)) for at in (even, random))
print(f"evenly {evenly:.3f}, at random {at_random:.3f}, the best of the methods {uniform.min():.3f}")
expect("No method lies below evenly placed points.", uniform.min() >= evenly - 1e-6)

# %% [markdown]
# ## Papers
#
# - Wang and Isola, *Understanding contrastive representation learning through alignment and uniformity on the
#   hypersphere*, [2020](https://arxiv.org/abs/2005.10242)
# - SimCLR: Chen, Kornblith, Norouzi and Hinton, [2020](https://arxiv.org/abs/2002.05709)
