# %% [markdown]
# # Curation: what should not be in the data
#
# Large sets are gathered, not made: the same picture comes twice, the test part leaks into the training part, labels
# are wrong, and some pictures show nothing of the kind. Here all of these are planted in a set of digits, looked for
# with a representation that was learned from the dirty set itself, and taken out again.
#
# Two rules do most of it. An *outlier* lies, by its mean distance $d_i$ to the ten nearest, far above the others. Of
# samples with *label* $y$, as many are suspected to be of class $c$ as a probe, trained on other folds, finds at least
# as likely to be of $c$ as is usual for that class ($t_c$ is the mean probability that it gives to $c$ among those
# labelled $c$): those with the largest $p(c | x_i) - p(y | x_i)$.
#
# $$d_i > Q_3 + 2 (Q_3 - Q_1), \qquad n_{y \to c} = \#\{i : y_i = y, \; p(c | x_i) \geq t_c\}$$

# %%
images = 1000  # digits before anything is planted [150 to 7000; small 150]
wrong = 0.1  # share of labels that are made wrong [0.01 to 0.4]
planted = 30  # copies, near copies, leaks and outliers, of each so many [5 to 200; small 10]
epochs = 6  # of SimCLR on the dirty set [1 to 100; small 1; full 30]
tested = 1000  # digits to judge by [100 to 2000; small 100]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## A dirty set

# %%
import numpy as np
from scipy.ndimage import gaussian_filter

from replearn import SimCLR, as_samples, load_data
from replearn.lectures import expect, pictures

rng = np.random.default_rng(seed)
clean = load_data("digits", split="train").subset(range(images))
test = load_data("digits", split="test").subset(range(tested))
x, labels = clean[np.arange(images)].x.numpy(), clean.labels.copy()  # uint8 (n, 1, 28, 28)


def noisy(x):
    """Nearly the same pictures, as after another compression."""
    return (x + rng.normal(0, 4, x.shape)).clip(0, 255).round().astype(np.uint8)


def odd(n):
    """Pictures that are no digits: clouds."""
    clouds = gaussian_filter(rng.normal(size=(n, 1, 28, 28)), (0, 0, 2, 2))
    return (255 * (0.5 + clouds / (6 * clouds.std()))).clip(0, 255).round().astype(np.uint8)


swapped = rng.permutation(images)[: round(wrong * images)]
labels[swapped] = (labels[swapped] + rng.integers(1, 10, len(swapped))) % 10
again, near = rng.permutation(np.setdiff1d(np.arange(images), swapped))[: 2 * planted].reshape(2, -1)
leaked = rng.permutation(tested)[:planted]
parts = {  # pictures and labels that are added, kind by kind
    "copy": (x[again], labels[again]),
    "near copy": (noisy(x[near]), labels[near]),
    "leak": (test[leaked].x.numpy(), test.labels[leaked]),
    "outlier": (odd(planted), rng.integers(0, 10, planted)),
}
starts = np.cumsum([images, *[len(part) for part, _ in parts.values()]])
truth = {kind: set(range(a, b)) for kind, a, b in zip(parts, starts, starts[1:], strict=False)}
truth["wrong label"] = set(swapped.tolist())
dirty = as_samples(
    np.concatenate([x, *[part for part, _ in parts.values()]]),
    np.concatenate([labels, *[own for _, own in parts.values()]]),
)
print(f"{len(dirty):,} digits, {sum(map(len, truth.values()))} of them planted")
pictures({kind: dirty[np.array(sorted(those)[:10])].floats().x.numpy() for kind, those in truth.items()})

# %% [markdown]
# ## What is found
#
# This is what `replearn curate` does. Nothing is told of what was planted; the representation is SimCLR's, learned from
# the dirty set without labels. Copies are found by content, near copies by raw numbers.

# %%
import pandas as pd

from replearn.service.curation import find

simclr = SimCLR(encoder="cnn", epochs=epochs, batch_size=64, random_state=seed).fit(dirty)
rows = simclr.transform(dirty)
found = find(dirty, rows, simple=dirty.flat(), test=test, random_state=seed)
print(*found.told, sep="\n")


def row(kind):
    """How many were planted and found, and how many of those found were planted."""
    those = {one.sample for one in found.of(kind)}
    hit = len(those & truth[kind])
    return {
        "planted": len(truth[kind]),
        "of these found": hit / len(truth[kind]),
        "found in all": len(those),
        "of these planted": hit / max(1, len(those)),
    }


table = pd.DataFrame({kind: row(kind) for kind in truth}).T.astype({"planted": int, "found in all": int})
recall, precision = table["of these found"], table["of these planted"]
expect("Every copy and every leak is found.", recall["copy"] == recall["leak"] == 1)
expect("Near copies are found.", recall["near copy"] > 0.9, "Their noise is too strong for the rule.")
expect(
    "What is no digit is found to be an outlier.",
    recall["outlier"] > 0.9,
    "Outliers of one kind may lie near each other: a cluster of them has near neighbours. Plant fewer.",
)
expect(
    "More than half of the wrong labels are found.",
    recall["wrong label"] > 0.5,
    "The probe is too weak to contradict labels: learn for longer, --epochs 30.",
)
expect(
    "More than half of the labels that are suspected are wrong.",
    precision["wrong label"] > 0.5,
    "Suspects should be looked at, not thrown away.",
)
table

# %% [markdown]
# The last column is no verdict. Outliers and suspected labels that were not planted may be odd digits, or wrong in the
# original set. Look at them:

# %%
own = {
    kind: [one for one in found.of(kind) if one.sample not in set().union(*truth.values())][:10]
    for kind in ("outlier", "wrong label", "near copy")
}
own = {kind: those for kind, those in own.items() if those}
for one in own.get("wrong label", []):
    print(f"labelled {dirty.labels[one.sample]}, taken for {one.guess}", end="; ")
looked_at = {
    kind: dirty[np.array([one.sample for one in those])].floats().x.numpy() for kind, those in own.items()
}
pictures(looked_at) if own else "nothing else was found"

# %% [markdown]
# ## What cleaning does to a probe
#
# A linear classifier learns from the representation and the labels: of the dirty set, of what `found.keep` keeps, and,
# as a ceiling, of the set without all that was planted. The test part is judged without the digits that leaked.

# %%
from replearn.evaluate import linear_probe

unseen = np.setdiff1d(np.arange(tested), leaked)
rows_of_test = simclr.transform(test)
bad = np.array(sorted(set().union(*truth.values())))
kept = {
    "the dirty set": np.arange(len(dirty)),
    "cleaned by what was found": np.flatnonzero(found.keep),
    "all that was planted taken out": np.setdiff1d(np.arange(len(dirty)), bad),
}


def accuracy(rows, rows_of_test, chosen, asked):
    """On some of the test part, of a probe that learns from some of the set."""
    return linear_probe(rows[chosen], dirty.labels[chosen], rows_of_test[asked], test.labels[asked]).accuracy


probes = pd.DataFrame(
    {
        name: {"samples": len(those), "accuracy": accuracy(rows, rows_of_test, those, unseen)}
        for name, those in kept.items()
    }
).T.astype({"samples": int})
gain = probes["accuracy"].iloc[1] - probes["accuracy"].iloc[0]
print(f"cleaning is worth {100 * gain:+.1f} points")
expect(
    "A probe does better with the cleaned set than with the dirty one.",
    gain > 0,
    "Suspected labels are kept where the probe is unsure (see above), and a linear classifier bears random ones well.",
)
expect(
    "Knowing all that was planted is worth no more than a point beyond that.",
    probes["accuracy"].iloc[2] - probes["accuracy"].iloc[1] < 0.01,
)
probes

# %% [markdown]
# ## What leaks do to a score
#
# Nearest neighbours find a copy of what they are asked. Their accuracy on the digits that leaked, and on the others:

# %%
from replearn.evaluate import nearest

index, _ = nearest(test.flat(), dirty.flat(), k=1)
right = dirty.labels[index[:, 0]] == test.labels
scores = right[leaked].mean(), right[unseen].mean()
print(
    f"told: {scores[0]:.1%} of the digits that leaked, {scores[1]:.1%} of the others, {right.mean():.1%} of all"
)
expect("Digits that leaked are classified better.", scores[0] > scores[1], "Few leaked: it may be chance.")

# %% [markdown]
# ## Exercise
#
# People confuse what looks alike. Swap the labels of a quarter of the fours and nines. How many are found now?

# %% solution
mixed = clean.labels.copy()
candidates = np.flatnonzero(np.isin(mixed, (4, 9)))
turned = rng.permutation(candidates)[: len(candidates) // 4]
mixed[turned] = 13 - mixed[turned]
second = find(as_samples(x, mixed), rows[:images], simple=None, random_state=seed)
caught = {one.sample for one in second.of("wrong label")} & set(turned.tolist())
print(
    f"{len(caught)} of {len(turned)} swapped fours and nines are found, {len(caught) / max(1, len(turned)):.0%}; "
    f"of labels that were wrong at random {recall['wrong label']:.0%}"
)
expect(
    "Labels that are wrong in one way are harder to find than those wrong at random.",
    len(caught) / max(1, len(turned)) < recall["wrong label"] - 0.05,
    "Fours and nines lie apart in this representation, so that a quarter of them is not enough to move the probe.",
)

# %% [markdown]
# ## Papers
#
# - Northcutt, Jiang and Chuang, *Confident learning*, [2021](https://arxiv.org/abs/1911.00068)
# - Northcutt, Athalye and Mueller, *Pervasive label errors in test sets*, [2021](https://arxiv.org/abs/2103.14749)
# - Lee and others, *Deduplicating training data makes language models better*, [2022](https://arxiv.org/abs/2107.06499)
# - Vo and others, *Automatic data curation for self-supervised learning*, [2024](https://arxiv.org/abs/2405.15613)
