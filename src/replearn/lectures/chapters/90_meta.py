# %% [markdown]
# # Meta-learning: to learn a class from one sample
#
# Five letters of a script that nobody here can read, one sample of each: which of the five is this? Meta-learning
# trains for just such tasks, on letters of other scripts: each step of training is a small task of its own.
#
# A task has `way` classes with $k$ *shots* $S_c$ of each, and *queries* $q$. ProtoNet takes the mean of a class's shots
# and asks which is nearest; MAML takes a step of gradient descent on the shots, and learns what to begin with
# (here to first order: the gradient is taken after the step, not through it):
#
# $$p(c | q) \propto \exp\left(-\Vert f(q) - \frac{1}{k} \sum_{i \in S_c} f(x_i) \Vert^2\right), \qquad
# \min_\theta \sum_{\mathrm{tasks}} L_{\mathrm{queries}}(\theta - \alpha \nabla_\theta L_{\mathrm{shots}}(\theta))$$

# %%
epochs = 12  # passes over the letters to learn from [1 to 200; small 1; full 60]
way = 5  # classes of a task that is judged [2 to 20]
fonts = 12  # in which each letter is drawn [10 to 12; small 10]
tasks = 300  # to judge by [20 to 5000; small 40; full 2000]
adapted = 60  # tasks to judge MAML by, which learns each [10 to 600; small 10; full 600]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## Letters
#
# Letters are drawn with fonts that come with matplotlib, each turned and moved a little. Latin and Greek ones are to
# learn from; those that are judged are Cyrillic, without those that look like a Latin or Greek letter.

# %%
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from replearn import as_samples
from replearn.lectures import chart, expect, pictures

folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
files = sorted(folder.glob("DejaVuS*.ttf"))
files = [file for file in files if "Display" not in file.name][:fonts]
seen = "ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghijkmnqrtyΓΔΘΛΞΠΣΦΨΩαβγδεζηθλμξπσφψω"
new = "БДЖЗИЙЛЦЧШЩЪЫЭЮЯбвджзйлцчшщъыэюя"
rng = np.random.default_rng(seed)


def drawn(letter, file):
    """A letter in white on black, 28 pixels a side."""
    picture = Image.new("L", (84, 84))
    ImageDraw.Draw(picture).text(
        (42, 42), letter, fill=255, font=ImageFont.truetype(str(file), 54), anchor="mm"
    )
    turned = picture.rotate(rng.uniform(-20, 20), translate=tuple(rng.integers(-6, 7, 2).tolist()))
    return np.asarray(turned.resize((28, 28), Image.Resampling.BOX))


def letters(those):
    """A class for each letter."""
    images = np.stack([drawn(letter, file) for letter in those for file in files])[:, None]
    return as_samples(images, np.repeat(np.arange(len(those)), len(files)))


train, test = letters(seen), letters(new)
print(f"{len(seen)} letters to learn from, {len(new)} to be judged by, {len(files)} pictures of each")
shown = {f"{len(files)} fonts": (train, 0), "to learn from": (train, 1), "to be judged by": (test, 1)}
pictures(
    {
        name: part[np.arange(10) * (len(files) if step else 1)].floats().x.numpy()
        for name, (part, step) in shown.items()
    }
)

# %% [markdown]
# ## A task
#
# One shot of each of five new letters, and a query of each below it.

# %%
from replearn.engine.episodes import Episodes

one = Episodes(test.labels, way, 2, 1, seed)(epoch=0).reshape(2, way)
pictures({"shots": test[one[0]].floats().x.numpy(), "queries": test[one[1]].floats().x.numpy()})

# %% [markdown]
# ## Learning
#
# ProtoNet and MAML learn from tasks of letters that were seen. Beside them stand ways that know nothing of tasks: a
# classifier of all letters that were seen, and SimCLR, which uses no labels; both are frozen afterwards, and a query is
# given the class whose mean is nearest, as by ProtoNet. And raw pixels, and the network untrained.

# %%
from replearn import MAML, ProtoNet, SimCLR, Supervised

settings = {"encoder": "cnn", "epochs": epochs, "random_state": seed}
untrained = SimCLR(**settings).prepare(train)
methods = {
    "frozen: SimCLR, no labels": SimCLR(**settings, batch_size=64).fit(train),
    "frozen: classifier": Supervised(**settings, batch_size=64).fit(train),
    "ProtoNet": ProtoNet(**settings, batch_size=128).fit(train),
}
maml = MAML(**settings, way=way, shots=1, batch_size=2 * 6 * way, first_order=True).fit(train)

# %% [markdown]
# ## Judged by new letters
#
# All rows but MAML are judged by the same tasks, by Euclidean distance and by cosine after the mean is
# subtracted; the table shows the better. MAML takes ten steps on the shots of each task.

# %%
import pandas as pd

from replearn.evaluate import episodes, student_interval

queries = 5


def judged(rows, shots):
    """Accuracy, and half of its 95 % interval, which is of the draws of tasks."""
    found = [
        episodes(
            rows, test.labels, way=way, shots=shots, queries=queries, n=tasks, metric=m, random_state=seed
        )
        for m in ("euclidean", "cosine")
    ]
    best = max(found, key=lambda score: score.accuracy)
    return best.accuracy, (best.high - best.low) / 2


def judged_maml(shots):
    """The same, of weights that are adapted to each task."""
    found = []
    for task in Episodes(test.labels, way, shots + queries, adapted, seed)(epoch=0).reshape(adapted, -1):
        cut = shots * way
        told = maml.adapt(test.subset(task[:cut]), test.subset(task[cut:])).argmax(1)
        found.append((told == np.arange(len(told)) % way).mean())
    low, high = student_interval(found)
    return float(np.mean(found)), (high - low) / 2


rows = {"raw pixels": test.flat(), "frozen: untrained": untrained.transform(test)}
rows |= {name: method.transform(test) for name, method in methods.items()}
scores = {name: {shots: judged(of, shots) for shots in (1, 5)} for name, of in rows.items()}
scores["MAML, adapted"] = {shots: judged_maml(shots) for shots in (1, 5)}
told = pd.DataFrame(
    {name: {shots: score[0] for shots, score in row.items()} for name, row in scores.items()}
).T
table = pd.DataFrame(
    {
        name: {f"{shots}-shot": f"{100 * a:.1f} ± {100 * half:.1f}" for shots, (a, half) in row.items()}
        for name, row in scores.items()
    }
).T
one_shot, more = told[1], "Learn for longer: --epochs 60."
print(f"{way}-way tasks; chance is {1 / way:.0%}")
expect("Five shots are better than one, in every row.", bool((told[5] > told[1]).all()))
expect(
    "Learning from tasks is better than what is there before learning, raw pixels or the network untrained.",
    one_shot["ProtoNet"] > max(one_shot["raw pixels"], one_shot["frozen: untrained"]),
    more,
)
expect(
    "ProtoNet, trained for tasks, beats a frozen classifier of the same letters.",
    one_shot["ProtoNet"] > one_shot["frozen: classifier"],
    "That a plain classifier with nearest centroids is hard to beat was found with larger networks, too.",
)
expect(
    "Labels of other letters help: the frozen classifier beats SimCLR.",
    one_shot["frozen: classifier"] > one_shot["frozen: SimCLR, no labels"],
    "Views that shift and turn a letter teach what matters for new letters, without any label.",
)
expect(
    "MAML, adapted, comes near ProtoNet: at most five points behind.",
    one_shot["MAML, adapted"] > one_shot["ProtoNet"] - 0.05,
    "MAML, here to first order, needs far more training than this.",
)
table

# %% [markdown]
# The ± is of the draws of tasks from these letters. Another script may be ten points easier or harder.
#
# ## More ways, and more shots
#
# How fast does a task get harder with classes, and easier with shots?

# %%
ways = [w for w in (2, 5, 10, 20, 30) if w <= len(new)]
curves = {
    name: [
        100
        * episodes(
            rows[name], test.labels, way=w, shots=1, queries=queries, n=tasks, random_state=seed
        ).accuracy
        for w in ways
    ]
    for name in ("raw pixels", "frozen: classifier", "ProtoNet")
}
expect("More classes, a harder task.", all(np.all(np.diff(values) < 0) for values in curves.values()))
chart(
    ways,
    curves | {"chance": [100 / w for w in ways]},
    x_label="classes of a task, one shot each",
    y_label="accuracy, percent",
)

# %% [markdown]
# ## Exercise
#
# MAML takes ten steps on a task here. What does it tell with none, and with one? Why must it be near chance with none?

# %% solution
some = Episodes(test.labels, way, 1 + queries, adapted, seed)(epoch=0).reshape(adapted, -1)
steps = {}
for count in (0, 1, 10):
    right = [
        (
            maml.adapt(test.subset(t[:way]), test.subset(t[way:]), steps=count).argmax(1)
            == np.arange(queries * way) % way
        ).mean()
        for t in some
    ]
    steps[count] = float(np.mean(right))
print(", ".join(f"{count} steps: {value:.1%}" for count, value in steps.items()))
expect(
    f"With none it guesses, {1 / way:.0%}: the head can't know which letter stands at which place.",
    abs(steps[0] - 1 / way) < 0.1,
)
expect("More steps on a task are not worse.", steps[10] >= steps[1] - 0.02, more)

# %% [markdown]
# ## Papers
#
# - ProtoNet: Snell, Swersky and Zemel, *Prototypical networks for few-shot learning*,
#   [2017](https://arxiv.org/abs/1703.05175)
# - MAML: Finn, Abbeel and Levine, *Model-agnostic meta-learning*, [2017](https://arxiv.org/abs/1703.03400)
# - Chen and others, *A closer look at few-shot classification*, [2019](https://arxiv.org/abs/1904.04232)
# - Tian and others, *Rethinking few-shot image classification: a good embedding is all you need?*,
#   [2020](https://arxiv.org/abs/2003.11539)
