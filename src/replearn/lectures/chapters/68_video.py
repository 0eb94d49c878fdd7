# %% [markdown]
# # Video: which way does time run?
#
# A film teaches for free what a picture can't: what comes after what. Play a clip backwards now and then, and ask which
# it was. Who can tell has seen how things move.
#
# A clip $x$ is a row of frames, and $\bar x$ is the same clip reversed. Both are in one batch, so that nothing but time
# tells them apart. The loss is the cross-entropy of the direction:
#
# $$L = -\dfrac{1}{2n} \sum_i \log p(\mathrm{forwards} \,|\, x_i) + \log p(\mathrm{backwards} \,|\, \bar x_i)$$

# %%
clips = 600  # clips to learn from [64 to 1000; small 64; full 1000]
epochs = 6  # passes over them, of each network [1 to 200; small 1; full 40]
tested = 250  # clips to judge by [60 to 250; small 60]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## Clips that have a direction, and clips that have none
#
# Things are dropped, thrown, or slide between two walls. With each bounce they lose energy, so a clip that is played
# backwards shows things that bounce higher and higher. A second set is drawn without loss: there, nothing can tell.

# %%
import numpy as np
import pandas as pd
import torch

from replearn import ArrowOfTime, load_data
from replearn.lectures import expect, pictures
from replearn.report import exhibit_figure


def both(name):
    """The first clips of both parts of a data set."""
    return (
        load_data(name, split="train").subset(range(clips)),
        load_data(name, split="test").subset(range(tested)),
    )


train, test = both("bouncing")
first = {
    test.classes[label]: test[np.flatnonzero(test.labels == label)[:1]].floats().x[0] for label in range(3)
}
pictures({name: clip.transpose(0, 1).numpy() for name, clip in first.items()})  # (t, c, h, w)

# %% [markdown]
# ## Forwards or backwards?

# %%
settings = {"epochs": epochs, "random_state": seed}
arrow = ArrowOfTime(**settings).fit(train)
ideal, ideal_test = both("bouncing-ideal")
without = ArrowOfTime(**settings).fit(ideal)


def told(method, samples):
    """The share of questions that a method answers right, of clips that it has not seen."""
    torch.manual_seed(seed)
    with torch.inference_mode():
        found = method.measures(samples[np.arange(len(samples))])
    return {"told": float(found["pretext_accuracy"]), "chance": float(found["chance"])}


table = pd.DataFrame(
    {"things lose energy": told(arrow, test), "things lose none": told(without, ideal_test)}
).T
more = "Learn for longer: --epochs 40."
expect(
    "Where energy is lost, the direction of time is told nearly always.", table["told"].iloc[0] > 0.9, more
)
expect(
    "Where none is lost it can't be told: no more than five points from chance.",
    abs(table["told"].iloc[1] - 0.5) < 0.05,
    "If it is told, the drawing of the clips has a trace of time. Or the test part is too small to tell.",
)
table

# %%
exhibit_figure(arrow, test, shown=8)

# %% [markdown]
# ## Is what was learned of use?
#
# Which of the three happens: is a thing dropped, thrown or slid? A linear classifier with ten labels of each tells.

# %%
from replearn.evaluate import few_label_curve


def judged(rows, rows_of_test):
    """Accuracy with ten labels of each class."""
    given = rows, train.labels, rows_of_test, test.labels
    return few_label_curve(*given, fractions=(), per_class=(10,), draws=5)["mean"][0]


methods = {
    "untrained network": ArrowOfTime(**settings).prepare(train),
    "arrow of time": arrow,
}
scores = {"raw pixels": judged(train.flat(), test.flat())}
scores |= {name: judged(one.transform(train), one.transform(test)) for name, one in methods.items()}
expect(
    "What the arrow taught beats the untrained network.",
    scores["arrow of time"] > scores["untrained network"],
    more,
)
expect("It beats raw pixels.", scores["arrow of time"] > scores["raw pixels"], more)
pd.Series(scores).to_frame("10 labels of each class")

# %% [markdown]
# ## Exercise
#
# Of which of the three actions is the direction hardest to tell? Guess first: which of them loses least energy in eight
# frames?

# %% solution
with torch.inference_mode():
    logits, way = arrow.guess(
        test[np.arange(len(test))]
    )  # (2n, 2): forwards and backwards of each clip in a row
right = (logits.argmax(1) == way).numpy()[way.numpy() >= 0]  # clips that begin or end at rest are not asked
action = np.repeat(test.labels, 2)[way.numpy() >= 0]
by_action = {name: right[action == label].mean() for label, name in enumerate(test.classes)}
print(", ".join(f"{name}: {share:.1%}" for name, share in by_action.items()))
expect("Each is told better than by chance.", min(by_action.values()) > 0.6, more)

# %% [markdown]
# ## Papers
#
# - Wei, Lim, Zisserman and Freeman, *Learning and using the arrow of time*,
#   [2018](https://openaccess.thecvf.com/content_cvpr_2018/html/Wei_Learning_and_Using_CVPR_2018_paper.html)
# - Are three frames in order? (`OrderVerification`, which takes longer to learn than a chapter has:) Misra, Zitnick
#   and Hebert, *Shuffle and learn: unsupervised learning using temporal order verification*,
#   [2016](https://arxiv.org/abs/1603.08561)
# - Pickup and others, *Seeing the arrow of time*, [2014](https://doi.org/10.1109/CVPR.2014.262)
