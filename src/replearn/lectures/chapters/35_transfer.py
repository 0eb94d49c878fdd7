# %% [markdown]
# # Transfer: pre-train once, fine-tune for many tasks
#
# A network that has learned one task with many labels is put to another with few. What of it should learn on: nothing,
# its last layers, all of it, and how fast?
#
# A network is a chain of layers with weights $\theta$; a new task asks for a new head $w$. Training from scratch
# begins with random $\theta_0$; fine-tuning begins with $\theta$ as it was learned before, and moves it slower than
# the head, by a factor $\rho < 1$ of the learning rate $\eta$. With $\rho = 0$ the network is *frozen*:
#
# $$w \leftarrow w - \eta \nabla_w L, \qquad \theta \leftarrow \theta - \rho \eta \nabla_\theta L$$

# %%
labels = (2, 10, 50)  # of each class in the new task [1 to 500; small (2, 5); full (2, 5, 10, 50, 200)]
images = 2000  # with labels, of task A [100 to 4000; small 300; full 4000]
epochs = 4  # of pre-training [1 to 50; small 1; full 15]
steps = 150  # of each fine-tuning, at least [10 to 5000; small 20; full 500]
rate = 0.1  # of the network's learning, as a multiple of the head's, where it learns slowly [0.001 to 1]
draws = 2  # of the labels [1 to 10; small 1; full 5]
tested = 1000  # pictures to judge by [100 to 1000; small 100]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## Two tasks from one set
#
# Task A tells the digits 0 to 4 apart and has thousands of labels. Task B tells 5 to 9 apart, and has few. No network
# has seen a 7 before it is asked for one. This is the experiment of Yosinski and others, on a small scale.

# %%
import numpy as np

from replearn import FineTune, Supervised, load_data
from replearn.lectures import chart, expect, pictures

train, test = (load_data("digits", split=part) for part in ("train", "test"))
first, second = (train.subset(np.flatnonzero((train.labels < 5) == low)) for low in (True, False))
asked = test.subset(np.flatnonzero(test.labels >= 5)[:tested])
first = first.subset(range(min(images, len(first))))
print(f"task A: {len(first):,} labelled digits; task B: {labels} of each class, judged by {len(asked):,}")
pictures({"task A": first[np.arange(8)].x.numpy() / 255, "task B": second[np.arange(8)].x.numpy() / 255})

# %% [markdown]
# ## Pre-training on task A

# %%
before = Supervised(encoder="cnn", epochs=epochs, random_state=seed).fit(first)
untrained = Supervised(encoder="cnn", random_state=seed).prepare(first)

# %% [markdown]
# ## Five ways to use it in task B
#
# All see the same draws of labels and take as many steps; where the network is frozen five times as many, since only
# the head learns, which costs little. *From scratch* is the same network with random weights. In
# *the last layer* the layers below stay as they are: partial transfer.

# %%
import pandas as pd

from replearn.evaluate import draw_labels

frozen = {"trained": "frozen", "least_steps": 5 * steps}
ways = {
    "from scratch": {"encoder": untrained, "encoder_rate": 1.0},
    "frozen": {"encoder": before, **frozen},
    "the last layer": {"encoder": before, "trained": 1},
    "all, slower than the head": {"encoder": before, "encoder_rate": rate},
    "all, as fast as the head": {"encoder": before, "encoder_rate": 1.0},
}


def accuracy(way, per_class, draw):
    """In task B, with so many labels of each class."""
    chosen = draw_labels(second.labels, per_class=per_class, random_state=seed + draw)
    model = FineTune(**{"least_steps": steps, **way}, random_state=seed + draw)
    return model.fit(second.subset(chosen)).score(asked)


table = pd.DataFrame(
    {
        n: {name: np.mean([accuracy(way, n, draw) for draw in range(draws)]) for name, way in ways.items()}
        for n in labels
    }
)
chart(
    labels,
    {name: 100 * row.to_numpy() for name, row in table.iterrows()},
    x_label="labels of each class (logarithmic)",
    y_label="accuracy in task B, percent",
    log=True,
)

# %%
fewest, most = labels[0], labels[-1]
begun, scratch = table.drop("from scratch"), table.loc["from scratch"]
gains = begun.max() - scratch
more = "Pre-train for longer: --epochs 15."
print(
    f"gain of the best way over training from scratch: {100 * gains[fewest]:.1f} points with {fewest} labels of each "
    f"class, {100 * gains[most]:.1f} with {most}"
)
expect("With the fewest labels some way to transfer beats training from scratch.", gains[fewest] > 0, more)
expect("The gain shrinks as labels are added.", gains[most] < gains[fewest], more)
expect(
    "With the fewest labels a frozen network is not worse than one that learns at the full rate.",
    table.loc["frozen", fewest] >= table.loc["all, as fast as the head", fewest],
    "Digits are so alike in both tasks, and the network so small, that few labels don't spoil it.",
)
expect(
    "With the most labels it is better to let layers learn than to freeze all of them.",
    begun.drop("frozen")[most].max() > table.loc["frozen", most],
    "Then the layers of task A serve task B as they are.",
)
slower = [n for n in labels if begun[n]["all, slower than the head"] > begun[n]["all, as fast as the head"]]
expect(
    "A lower rate for the network than for the head is not worse than the full rate, on average over label counts.",
    begun.loc["all, slower than the head"].mean() >= begun.loc["all, as fast as the head"].mean(),
    f"It is better with {' and '.join(map(str, slower)) or 'no number'} labels of each class, not with the others: few "
    "labels should change little, many may change much.",
)
table.rename(columns={n: f"{n} of each class" for n in labels})

# %% [markdown]
# With a handful of labels on a thousand test digits, differences of a point or two between ways are chance: draw more
# often (`--draws 10`) before believing an order among them.
#
# ## Does it matter that task A is like task B?
#
# The network of task A has seen pen strokes. What of one that has only seen emoji, in grey and 28 pixels wide?

# %%
import torch
from torch.nn import functional as F

from replearn import as_samples

emoji = load_data("emoji", split="train")
emoji = emoji.subset(np.random.default_rng(seed).permutation(len(emoji))[:images])
grey = emoji[np.arange(len(emoji))].floats().x.mean(1, keepdim=True)  # (n, 1, 32, 32)
small = (255 * (1 - F.interpolate(grey, (28, 28), mode="area"))).round().to(torch.uint8).numpy()
unlike = Supervised(encoder="cnn", epochs=epochs, random_state=seed).fit(as_samples(small, emoji.labels))
rows = {
    "random weights": {"encoder": untrained, **frozen},
    "task A was emoji": {"encoder": unlike, **frozen},
    "task A was digits": {"encoder": before, **frozen},
}
worth = pd.Series(
    {name: np.mean([accuracy(way, most, d) for d in range(draws)]) for name, way in rows.items()}
)
expect(
    "A task that is more alike transfers more.",
    worth.iloc[2] > worth.iloc[1],
    "Telling five digits apart is so easy that it asks for few features; telling nine kinds of emoji asks for more.",
)
expect(
    "Even a task that is unlike gives more than random weights.",
    worth.iloc[1] > worth.iloc[0],
    "Random filters are good edge detectors already, and categories of emoji ask for other things than strokes.",
)
worth.to_frame(f"accuracy, frozen, {most} labels of each class")

# %% [markdown]
# ## Exercise
#
# Where in the network does it stop being about all digits and begin to be about 0 to 4? Let the last layer, or the
# last two, begin with random weights again (`fresh_layers`), and compare.

# %% solution
again = {
    k: np.mean(
        [
            accuracy({"encoder": before, "encoder_rate": 1.0, "fresh_layers": k}, fewest, d)
            for d in range(draws)
        ]
    )
    for k in (0, 1, 2)
}
print("\n".join(f"{k} of the last layers begin anew: {value:.1%}" for k, value in again.items()))
expect(
    "Layers that were learned are worth keeping, with few labels.",
    again[0] >= again[2],
    "The last layers had become too special to task A, or the draws are too few to tell.",
)

# %% [markdown]
# ## Papers
#
# - Donahue and others, *DeCAF*, [2014](https://arxiv.org/abs/1310.1531)
# - Sharif Razavian and others, *CNN features off-the-shelf*, [2014](https://arxiv.org/abs/1403.6382)
# - Yosinski, Clune, Bengio and Lipson, *How transferable are features in deep neural networks?*,
#   [2014](https://arxiv.org/abs/1411.1792)
# - Kumar and others, *Fine-tuning can distort pretrained features and underperform out-of-distribution*,
#   [2022](https://arxiv.org/abs/2202.10054)
