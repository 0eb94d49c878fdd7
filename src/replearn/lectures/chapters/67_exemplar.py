# %% [markdown]
# # Exemplar: every picture a class of its own
#
# No labels? Then let each picture be its own class. Its members are distortions of it: moved, scaled, turned, with
# other contrast. Who can tell from a distortion which picture it was has learned what distortions leave alone.
#
# Of $k$ seeds $x_1, \ldots, x_k$, each distorted by a random $t$, a network $f$ and a linear layer say which it was:
#
# $$L = -\dfrac{1}{k} \sum_{i=1}^k E_t \log p(i \,|\, f(t(x_i)))$$

# %%
seeds = (10, 50, 250)  # classes, that is pictures that are learned from [2 to 8000; small (10, 40)]
shown = 16000  # distortions that each network sees [500 to 1000000; small 500; full 100000]
images = 2000  # digits from which classifiers learn [200 to 8000; small 200; full 8000]
tested = 1000  # digits to judge by [100 to 2000; small 100]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## Distorted exemplars
#
# In each column all pictures but the first are members of one class:

# %%
import numpy as np
import pandas as pd

from replearn import Exemplar, load_data
from replearn.lectures import chart, expect
from replearn.report import exhibit_figure

digits = load_data("digits", split="train").subset(range(images))
test = load_data("digits", split="test").subset(range(tested))
settings = {"encoder": "resnet_tiny", "batch_size": 32, "random_state": seed}
fitted = {
    k: Exemplar(**settings, classes=k, epochs=max(1, shown // min(k, images))).fit(digits) for k in seeds
}
exhibit_figure(fitted[seeds[-1]], test, shown=10)

# %% [markdown]
# ## More classes
#
# With few seeds there is little to tell apart. With many, some seeds are nearly alike, two slim ones say, and are torn
# apart nonetheless. Each network sees as many distortions, and learns no label; then ten labels of each digit train a
# linear classifier.

# %%
from replearn.evaluate import few_label_curve


def judged(rows, rows_of_test):
    """Accuracy with ten labels of each class."""
    given = rows, digits.labels, rows_of_test, test.labels
    return few_label_curve(*given, fractions=(), per_class=(10,), draws=3)["mean"][0]


untrained = Exemplar(**settings).prepare(digits)
raw = judged(digits.flat(), test.flat())
before = judged(untrained.transform(digits), untrained.transform(test))
curve = [judged(one.transform(digits), one.transform(test)) for one in fitted.values()]
more = "Show more distortions: --shown 100000."
told_of = ", ".join(f"{right:.1%} with {k} seeds" for k, right in zip(seeds, curve, strict=True))
print(f"raw pixels {raw:.1%}, untrained {before:.1%}, exemplar {told_of}")
expect("Each of the networks beats the untrained one.", min(curve) > before, more)
expect("The best of them beats raw pixels.", max(curve) > raw, more)
expect("The most seeds teach more than the fewest.", curve[-1] > curve[0], more)
chart(
    seeds,
    {"exemplar": curve, "raw pixels": [raw] * len(seeds), "untrained": [before] * len(seeds)},
    x_label="seeds (logarithmic)",
    y_label="accuracy with 10 labels of each class",
    log=True,
)

# %% [markdown]
# ## Are seeds told?
#
# The share of distortions whose seed is told, by number of seeds. Below it, seeds that are taken for one another:

# %%
import torch


def told(method):
    """Which seed is said of each seed's distortion, and the true one."""
    torch.manual_seed(seed)
    given = method.training_samples(digits)
    with torch.inference_mode():
        logits, right = method.guess(given[np.arange(len(given))])
    return given, logits.argmax(1).numpy(), right.numpy()


rows = {}
for k, method in fitted.items():
    given, said, right = told(method)
    same = given.labels[said] == given.labels[right]
    wrong = said != right
    rows[f"{k:,} seeds"] = {
        "told": 1 - wrong.mean(),
        "by chance": 1 / len(given),
        "of the wrong ones, another of the same digit": same[wrong].mean() if wrong.any() else np.nan,
    }
table = pd.DataFrame(rows).T
expect(
    "Seeds are told ten times as often as by chance, of most seeds.",
    table["told"].iloc[-1] > 10 * table["by chance"].iloc[-1],
    more,
)
expect(
    "The more seeds, the harder they are to tell apart.", table["told"].iloc[-1] < table["told"].iloc[0], more
)
expect(
    "Who is taken for another is mostly taken for one of the same digit: by chance it would be a tenth.",
    table.iloc[-1, 2] > 0.5,
    more,
)
table

# %% [markdown]
# The last column is why this works, and where it ends: what is pulled apart, two fours, should lie together. Supervised
# contrast puts that right with labels, clustering (SwAV) without.
#
# ## Exercise
#
# Which seeds of the last network are taken for each other most? Draw pairs.

# %% solution
from replearn.lectures import pictures

given, said, right = told(fitted[seeds[-1]])
wrong = np.flatnonzero(said != right)[:12]
print(f"{len(np.flatnonzero(said != right)):,} of {len(right):,} are taken for another")
expect("Some are.", len(wrong) > 0, "Take more seeds.")
both = {"seed": right[wrong], "taken for": said[wrong]}
pictures({name: given[i].floats().x.numpy() for name, i in both.items()}) if len(wrong) else "none"

# %% [markdown]
# ## Papers
#
# - Dosovitskiy, Springenberg, Riedmiller and Brox, *Discriminative unsupervised feature learning with convolutional
#   neural networks*, [2014](https://arxiv.org/abs/1406.6909)
# - A bank in place of the softmax: Wu, Xiong, Yu and Lin, [2018](https://arxiv.org/abs/1805.01978)
# - Supervised contrast: Khosla and others, [2020](https://arxiv.org/abs/2004.11362)
