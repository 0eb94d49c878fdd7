# %% [markdown]
# # Many tasks, one representation
#
# Labels teach representations, too, and labels of several tasks teach one that serves them all. Does a network learn a
# task better if it learns others beside it? It may: what is needed for one can be of use to another. It may not: tasks
# compete for the same weights.
#
# One encoder $f$ is shared, each task $t$ has a linear head $W_t$ of its own, and the losses are added up. Classes cost
# a cross-entropy $\ell_t$, numbers (in units of their deviation) a squared error:
#
# $$L = \sum_t \ell_t (W_t f(x), y_t)$$

# %%
images = 2000  # pictures of shapes to learn from [200 to 15000; small 200; full 6000]
epochs = 1  # passes over them, of each network for one task [1 to 50; small 1; full 5]
tested = 1000  # pictures of the test part to judge by [200 to 3000; small 200]
known = 100  # pictures whose shape is known, in the second part [20 to 2000; small 40]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## Five tasks
#
# Each picture has a column for each task: which shape it shows and how that is turned (classes), how large it is and
# where it lies (numbers).

# %%
import numpy as np
import pandas as pd

from replearn import MultiTask, load_data
from replearn.data import targets_of
from replearn.lectures import expect, pictures

rng = np.random.default_rng(seed)
train, test = (load_data("shapes", split=part) for part in ("train", "test"))
train = train.subset(rng.permutation(len(train))[:images])
test = test.subset(rng.permutation(len(test))[:tested])
tasks = targets_of(train).names
print("tasks:", ", ".join(tasks))
pictures({"some of the pictures": test[np.arange(12)].floats().x.numpy()})

# %% [markdown]
# ## One network for each task, or one for all, at equal cost
#
# Five networks learn a task each. The network for all tasks may take as many steps as these five together, so that both
# sides cost the same.

# %%
settings = {"encoder": "resnet_tiny", "batch_size": 32, "random_state": seed}
alone = {task: MultiTask(**settings, tasks=(task,), epochs=epochs).fit(train) for task in tasks}
shared = MultiTask(**settings, epochs=epochs * len(tasks)).fit(train)
scores = {
    "one each": {task: one.scores(test)[task] for task, one in alone.items()},
    "one for all": shared.scores(test),
}
table = pd.DataFrame(scores)
more = "Learn for longer: --epochs 5."
expect(
    "Shapes are told better by the shared network.",
    table["one for all"]["shape"] > table["one each"]["shape"],
    more,
)
expect("How they are turned, too.", table["one for all"]["rotation"] > table["one each"]["rotation"], more)
expect(
    "Places and sizes are easy: one network each explains more than nine tenths of their variance.",
    table["one each"][["scale", "x", "y"]].min() > 0.9,
    more,
)
expect(
    "There sharing gains less than five points.",
    (table["one for all"] - table["one each"])[["scale", "x", "y"]].max() < 0.05,
    "One network each has not learned even these in its steps.",
)
print("accuracy of shape and rotation, share of the variance explained of the others")
table

# %% [markdown]
# Where is the gain from? The shared network has gone over the pictures five times as often, and each task had all of
# that. A task that needs longer than its own budget lives on the steps of the others.
#
# ## Few labels of one task, many of the others
#
# Now the shape is known of a few pictures only, while the other columns are full. The network for all learns from all
# pictures; that for shapes can only learn from those few, for as many steps.

# %%
told = targets_of(train)
columns = pd.DataFrame(
    {
        name: told.column(name) if names is None else np.array(names, object)[told.column(name).astype(int)]
        for name, names in zip(tasks, told.classes, strict=True)
    }
)
columns.loc[known:, "shape"] = None  # unknown
few = train.subset(range(known))
passes = epochs * len(tasks)
amounts = tuple(name for name, names in zip(tasks, told.classes, strict=True) if names is None)
helped = MultiTask(**settings, epochs=passes, numbers=amounts).fit(train, columns).scores(test)
own = MultiTask(**settings, tasks=("shape",), epochs=passes * images // known).fit(few).scores(test)
result = pd.Series(
    {
        "those few alone": own["shape"],
        "with the other tasks": helped["shape"],
        "all labels": scores["one for all"]["shape"],
    }
)
expect(
    f"With {known} shapes known, the other tasks help to tell the shape, by more than three points.",
    result["with the other tasks"] > result["those few alone"] + 0.03,
    "What places and sizes need is not what shapes need: the answer depends on how related tasks are. Three points or "
    "less are chance here.",
)
expect(
    "More labels of the task itself help more.", result["all labels"] > result["with the other tasks"], more
)
result.to_frame("accuracy of shape")

# %% [markdown]
# ## Exercise
#
# What does a representation know that was learned for another task? Read the shape by a linear probe: from the network
# for *x* alone, from the one for shapes, and from the shared one.

# %% solution
from replearn.evaluate import linear_probe

probed = {
    name: linear_probe(one.transform(train), train.labels, one.transform(test), test.labels).accuracy
    for name, one in {"x alone": alone["x"], "shape alone": alone["shape"], "all tasks": shared}.items()
}
expect(
    "The shared representation tells shapes better than that of x alone.",
    probed["all tasks"] > probed["x alone"],
    more,
)
pd.Series(probed).to_frame("accuracy of shape, by a probe")

# %% [markdown]
# ## Papers
#
# - Caruana, *Multitask learning*, [1997](https://doi.org/10.1023/A:1007379606734)
# - Weights of losses: Kendall, Gal and Cipolla, [2018](https://arxiv.org/abs/1705.07115)
# - Tasks that compete: Yu and others, *Gradient surgery for multi-task learning*,
#   [2020](https://arxiv.org/abs/2001.06782)
