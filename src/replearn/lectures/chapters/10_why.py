# %% [markdown]
# # Why: few labels go far
#
# Whoever has a good representation needs few labels. The same classifier, given the same few labels, is right far
# more often on what a network has learned without any label than on raw pixels.
#
# The lectures show it on twenty classes of photographs: with a few labels of each, 5 to 10 % right on raw pixels (5 %
# is chance), 50 to 80 % on a learned representation. Their photographs are not here, so we make twenty classes of
# what is: ten digits, bright on dark or dark on bright, *somewhere* in a picture under noise. A pixel then
# says little, since every stroke may lie anywhere.

# %%
samples = 4000  # pictures without labels to learn from [200 to 8000; small 200; full 8000]
epochs = 10  # passes over them [1 to 200; small 1; full 40]
noise = 0.15  # of the pictures, where black is 0 and white is 1 [0.0 to 0.5]
labels = (1, 2, 5, 10, 20, 50)  # of each class, for the classifier [1 to 100; small (1, 5)]
tested = 2000  # pictures of the test part to judge by [200 to 2000; small 200]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## Twenty classes

# %%
import numpy as np
import torch

from replearn import load_data
from replearn.data import ArraySamples
from replearn.lectures import chart, expect, pictures


def twenty_classes(digits, draw):
    """Digits of 20 x 20 pixels somewhere in 32 x 32, half of them as negatives, under noise."""
    ink = torch.nn.functional.interpolate(
        digits[np.arange(len(digits))].x.float() / 255, 20, mode="area"
    ).numpy()
    canvas, negative = np.zeros((len(ink), 1, 32, 32), np.float32), draw.random(len(ink)) < 0.5
    for i, (row, column) in enumerate(draw.integers(0, 13, (len(ink), 2))):
        canvas[i, :, row : row + 20, column : column + 20] = ink[i]
    canvas = np.where(negative[:, None, None, None], 1 - canvas, canvas)
    canvas = canvas + noise * draw.standard_normal(canvas.shape, dtype=np.float32)
    return ArraySamples(canvas.clip(0, 1), labels=digits.labels + 10 * negative)


draw = np.random.default_rng(seed)
train = twenty_classes(load_data("digits", split="train").subset(range(samples)), draw)
test = twenty_classes(load_data("digits", split="test").subset(range(tested)), draw)
rows = [
    np.concatenate([train[np.flatnonzero(train.labels == c)[[k]]].x.numpy() for c in range(20)])
    for k in range(3)
]
pictures({f"sample {k + 1}": row for k, row in enumerate(rows)}, title="three of each of the twenty classes")

# %% [markdown]
# ## Learn without labels
#
# SimCLR sees each picture twice, cropped and recoloured at random, and learns to tell which two belong together
# (see its own chapter). No label is used.

# %%
from replearn import SimCLR

small = {"encoder": "resnet_tiny", "batch_size": 64, "temperature": 0.2}  # a network for small pictures
simclr = SimCLR(**small, epochs=epochs, random_state=seed).fit(train)
learned = simclr.transform(train), simclr.transform(test)
raw = train.flat(), test.flat()
print(f"A picture is {raw[0].shape[1]:,} pixels, or {learned[0].shape[1]} learned numbers.")

# %% [markdown]
# ## Few labels
#
# The same linear classifier, on the same labels, reads pixels or learned numbers. Each point is the mean of five
# draws of labels. With $f$ the learned representation, or nothing at all, the classifier is
#
# $$p(y|x) = \mathrm{softmax}(W f(x) + b)_y$$

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from replearn.evaluate import draw_labels


def accuracy(rows, rows_of_test, per_class):
    """Of a classifier that is shown so many labels of each class."""
    found = []
    for random_state in range(5):
        few = draw_labels(train.labels, per_class=per_class, random_state=random_state)
        classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000, tol=1e-3))
        found.append(classifier.fit(rows[few], train.labels[few]).score(rows_of_test, test.labels))
    return np.mean(found)


curves = {
    name: [accuracy(*both, k) for k in labels] for name, both in {"raw": raw, "learned": learned}.items()
}
chart(labels, curves, x_label="labels of each class", y_label="accuracy", log=True)

# %%
table = pd.DataFrame(curves, index=pd.Index(labels, name="labels of each class"))
low, high = (
    (table["raw"].iloc[0], table["raw"].iloc[-1]),
    (table["learned"].iloc[0], table["learned"].iloc[-1]),
)
print(f"raw: {low[0]:.0%} to {low[1]:.0%}; learned: {high[0]:.0%} to {high[1]:.0%}; chance: 5%")
more = "Learn for longer: --epochs 40."
expect(
    "With every number of labels the learned representation is better.",
    (table.learned > table.raw).all(),
    more,
)
expect(
    "On raw pixels few labels give 5 to 10 %.",
    low[0] <= 0.1,
    "Dark or bright can be read off pixels, by halves.",
)
expect(f"On the learned representation {labels[-1]} give 50 to 80 %.", 0.8 >= high[1] >= 0.5, more)
fewest = next((k for k, right in zip(labels, curves["learned"], strict=True) if right >= low[1]), None)
expect(
    f"With {fewest or labels[-1]} of each class the learned one is as good as raw pixels with {labels[-1]}.",
    fewest is not None,
    more,
)
table

# %% [markdown]
# ## Exercise
#
# Is it the *learning*, or would any network do? Read the same network before training, with as many labels.

# %% solution
untrained = SimCLR(**small, random_state=seed).prepare(train)
before = untrained.transform(train), untrained.transform(test)
right = accuracy(*before, labels[-1])
print(f"{labels[-1]} labels of each class: raw {low[1]:.0%}, untrained {right:.0%}, learned {high[1]:.0%}")
expect("Learning is what helps, not the network.", high[1] > right, more)

# %% [markdown]
# ## Papers
#
# - Bengio, Courville and Vincent, *Representation learning: a review and new perspectives*,
#   [2013](https://arxiv.org/abs/1206.5538)
# - SimCLR: Chen, Kornblith, Norouzi and Hinton, [2020](https://arxiv.org/abs/2002.05709)
