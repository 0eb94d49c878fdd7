# %% [markdown]
# # Scaling: what are more samples and larger networks worth?
#
# The lectures' advice on how to pre-train is to scale: deep, wide, large, and more data. How much does it help? Make
# one thing larger and leave the rest; often the error falls along a straight line, if both axes are logarithmic.
#
# That is a *power law* in what is spent, $x$, with an exponent $\alpha$ and, perhaps, a floor $E$ that no $x$ passes:
#
# $$\mathrm{error}(x) = E + c \, x^{-\alpha}$$
#
# Twice as much leaves $2^{-\alpha}$ of what lies above the floor: 93 % with $\alpha = 0.1$, half with $\alpha = 1$.

# %%
samples = (64, 128, 256, 512, 1024)  # digits [32 to 8000; small (32, 48, 64); full (500, 2000, 8000)]
steps = 100  # of every training [2 to 5000; small 3; full 1000]
widths = (8, 16, 32, 64)  # of the network, channels of its first layer [8 to 128; small (8, 16, 24)]
seeds = 1  # trainings of each setting [1 to 10; small 1; full 3]
tested = 1000  # digits to judge by [100 to 2000; small 100]

# %% [markdown]
# ## Two axes
#
# SimCLR learns from few digits up to many, for as many steps each; and with networks from narrow to wide. A linear
# classifier tells what its representation is worth. It always has all labels: what grows is what the *representation*
# is learned from. This is what `replearn scale` does.

# %%
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from replearn import SimCLR, load_data
from replearn.comparison.scale import scale
from replearn.lectures import expect

train = load_data("digits", split="train").subset(range(max(samples)))
test = load_data("digits", split="test").subset(range(tested))
batch_size = min(64, min(samples) // 2)
epochs = max(1, round(steps / (len(train) // batch_size)))
method = SimCLR(encoder=f"cnn:width={sorted(widths)[-2]}", batch_size=batch_size, epochs=epochs)


def measured(axis, values):
    """Trainings of which one thing grows, and the law that is fitted to their errors."""
    with tempfile.TemporaryDirectory() as folder:
        asked = {"by": (axis,), "values": [str(value) for value in values]}
        return scale(method, train, test, **asked, folder=Path(folder), seeds=range(seeds))


by_samples, by_width = measured("samples", samples), measured("width", widths)
grown = (*by_samples.axes, *by_width.axes)

# %% [markdown]
# ## The laws
#
# Dots are trainings; the line is the law that was fitted to the error of the probe; the band is its 95 % interval, as
# far as twice of what was measured.

# %%
figure = Figure(figsize=(8, 3.6), layout="constrained")
for axes, axis in zip(figure.subplots(1, 2, sharey=True), grown, strict=True):
    axes.plot(axis.x, [100 * row.error for row in axis.rows], "o", color="#0b62c4", markersize=4)
    x = np.geomspace(min(axis.x), 2 * max(axis.x), 50)
    mean, low, high = 100 * np.array([axis.law.at(value) for value in x]).T
    axes.plot(x, mean, color="#c23b22")
    if np.isfinite(high).all():
        axes.fill_between(x, low, np.minimum(high, 100), color="#c23b22", alpha=0.15)
    axes.set(xscale="log", yscale="log", xlabel=f"{axis.name} (logarithmic)", title=axis.name)
    axes.set_xticks(sorted({*axis.x}), [f"{value:,.0f}" for value in sorted({*axis.x})], fontsize=8)
    axes.minorticks_off()
figure.axes[0].set_ylabel("error in percent (logarithmic)")
figure

# %%
import pandas as pd


def law(axis):
    """What the law of an axis says."""
    twice = axis.doubled()
    return {
        "exponent": axis.law.exponent,
        "from": axis.law.low,
        "to": axis.law.high,
        "floor": axis.law.floor,
        "error with all": np.mean(
            [r.error for x, r in zip(axis.x, axis.rows, strict=True) if x == axis.base]
        ),
        "error with twice": np.nan if twice is None else twice.error,
    }


laws = {axis.name: axis.law for axis in grown}
raw = next(iter(by_samples.before.values()))
print(", ".join(f"error of {name} {error:.1%}" for name, error in by_samples.before.items()))
reached = min(row.error for axis in grown for row in axis.rows)
expect(
    "What is learned beats raw pixels.", reached < raw, "Take more --steps: these trainings are very short."
)
for name, what in {"samples": "More samples", "width": "A wider network"}.items():
    expect(
        f"{what}, a smaller error: the exponent's whole interval lies above 0.",
        laws[name].falls(),
        f"Its exponent is {laws[name].exponent:.2f}, from {laws[name].low:.2f} to {laws[name].high:.2f}: "
        "these trainings do not show it.",
    )
pd.DataFrame({axis.name: law(axis) for axis in grown}).T

# %% [markdown]
# A law holds between the points that it was fitted to. Whoever asks it about a hundred times as much believes a line
# beyond all that was measured; and an interval knows of the scatter of its points, not of bends to come. The papers'
# laws span seven powers of ten; these here span one.
#
# Where one thing is short, more of another does not help: with a hundred steps a network can't use eight thousand
# digits. So a law of *samples alone* soon meets a floor, which is no property of data. Take ten times the `--steps`,
# and see whether the exponent grows.
#
# ## Exercise
#
# By the law of samples, how many times as many digits would halve the error? Say how sure that is.

# %% solution
law_of_samples = laws["samples"]
now, floor = law_of_samples.at(max(samples))[0], law_of_samples.floor
left = (
    (now - floor) / (now / 2 - floor) if now / 2 > floor else np.inf
)  # only what lies above the floor falls


def times(exponent):
    """How many times as many digits leave half of the error."""
    return float(np.float64(left) ** (1 / exponent)) if exponent > 0 else np.inf


for name, exponent in {
    "fitted": law_of_samples.exponent,
    "low end": law_of_samples.low,
    "high end": law_of_samples.high,
}.items():
    print(f"{name}: exponent {exponent:.2f}, {times(exponent):,.3g} times as many digits")
expect(
    "The answer is sure within a factor of ten.",
    np.isfinite(times(law_of_samples.low)) and times(law_of_samples.low) < 10 * times(law_of_samples.high),
    "A small exponent that is not well known makes any answer unsure: its inverse is a power of the factor.",
)

# %% [markdown]
# ## Papers
#
# - Hestness and others, *Deep learning scaling is predictable, empirically*,
#   [2017](https://arxiv.org/abs/1712.00409)
# - Kaplan and others, *Scaling laws for neural language models*, [2020](https://arxiv.org/abs/2001.08361)
# - With a floor: Rosenfeld and others, *A constructive prediction of the generalization error across scales*,
#   [2020](https://arxiv.org/abs/1909.12673)
# - Hoffmann and others, *Training compute-optimal large language models*, [2022](https://arxiv.org/abs/2203.15556)
