# %% [markdown]
# # Memorisation: what a language model knows by heart
#
# Language models repeat text that they were trained on, word for word: a nuisance where it is a poem under copyright, a
# danger where it is somebody's telephone number. Whether a model does it can be measured, and what makes it worse, too.
#
# Give the model the first $k$ tokens of a text, and let it go on with the most probable token each time. The *exact
# continuation rate* is the share of texts $T$ whose next $m$ tokens it gets right, all of them:
#
# $$\dfrac{1}{|T|} \sum_{x \in T} 1 [ \hat{x}_{k+1}, \ldots, \hat{x}_{k+m} = x_{k+1}, \ldots, x_{k+m} ]$$
#
# What it does as often on held-out text is knowledge of the language. What it does more often on training text, it has
# by heart.

# %%
texts = 25  # of Python's manual, in each of four groups [5 to 200; small 5; full 50]
words = 40  # of each text, from its beginning [30 to 100]
copies = (1, 4, 16)  # of each text in the training set, group by group [1 to 100; small (1, 2, 4)]
epochs = 12  # passes over the training set [1 to 200; small 1; full 20]
prefixes = (2, 4, 8, 16)  # tokens that the model is given [1 to 24]
length = 12  # tokens that it must get right [2 to 24]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## A training set with copies
#
# Large sets are gathered, and hold the same text many times. Here one group of texts stands in the set once, another
# some times, a third often. A fourth group is held out.

# %%
import numpy as np
import pandas as pd

from replearn import GPT, as_samples, load_data
from replearn.evaluate import memorization
from replearn.lectures import chart, expect

manual = load_data("python-manual", split="train").texts
order = np.random.default_rng(seed).permutation(len(manual))[: 4 * texts].reshape(4, texts)
*groups, held_out = ([" ".join(manual[int(i)].split()[:words]) for i in own] for own in order)
training = [text for group, times in zip(groups, copies, strict=True) for text in group for _ in range(times)]
print(f"{len(training)} texts to learn from, {3 * texts} of them different, and {texts} held out")

settings = {
    "encoder": "gpt_tiny",
    "vocabulary": 512,
    "window": 64,
    "batch_size": 16,
    "learning_rate": 2e-3,
    "random_state": seed,
}
gpt = GPT(**settings, epochs=epochs).fit(as_samples(training))

# %% [markdown]
# ## By heart?
#
# The rate for each group, by how many tokens of a text the model is given:

# %%
asked = {"prefixes": prefixes, "length": length, "texts": texts, "random_state": seed}


def by_heart(model, group):
    """Exact continuation rates of a group that it learned from, and of held-out texts, by prefix."""
    found = memorization(model, group, held_out, **asked).set_index(["part", "prefix"])["exact"]
    return found["training"], found["held out"]


rates = {f"{times} in training": by_heart(gpt, group)[0] for times, group in zip(copies, groups, strict=True)}
rates["held out"] = by_heart(gpt, groups[0])[1]
table = pd.DataFrame(rates)
once, often, never = table.iloc[:, 0], table.iloc[:, -2], table["held out"]
more = "Learn for longer: --epochs 20."
expect(
    "No held-out text is gone on with exactly.",
    never.max() == 0,
    "Manuals repeat themselves: a phrase of theirs.",
)
expect(
    "More than half of the texts that stand often in the training set are known by heart.",
    often.max() > 0.5,
    more,
)
expect(
    "The more copies, the more is known by heart: the groups are in order.",
    all(a <= b for a, b in zip(table.max()[: len(copies)], table.max()[1 : len(copies)], strict=False))
    and often.max() > once.max(),
    more,
)
expect(
    "The more the model is given, the more often it goes on exactly.", often.iloc[-1] > often.iloc[0], more
)
chart(
    prefixes,
    {name: 100 * own.to_numpy() for name, own in rates.items()},
    x_label="tokens given (logarithmic)",
    y_label="goes on exactly, percent",
    log=True,
)

# %% [markdown]
# ## What it writes
#
# The same number of tokens is given of a text that stood in the set often, of one that stood there once, and of one
# that is held out. What follows `|` is the model's; what is not by heart, it makes up.

# %%
tokenizer = gpt.own_tokenizer
for name, group in (*zip(rates, groups, strict=False), ("held out", held_out)):
    ids = tokenizer.encode(group[:1])[0]
    (new,) = gpt.continue_tokens([ids[: prefixes[-1]]], tokens=length)
    given, true, own = (
        tokenizer.decode(part) for part in (ids[: prefixes[-1]], ids[prefixes[-1] :][:length], new)
    )
    print(f"{name}:\n  the model: {given} | {own}\n  the text:  {given} | {true}")

# %% [markdown]
# ## Ways out
#
# *Deduplication* takes the copies out before training: see the exercise, and the chapter on curation. *Differential
# privacy* is the technical route: each text's gradient is clipped, and noise is added, so that no single text can
# change the model by much. It costs quality, and how to train a useful private model at scale is open. replearn has no
# private training, so it is not shown here.
#
# ## Exercise
#
# Take the copies out, and train for as many passes over what is left. How much is known by heart now, and how well does
# each model know texts that it has not seen, in bits per character?

# %% solution
clean = GPT(**settings, epochs=epochs).fit(as_samples(sorted(set(training))))
bits = {name: model.bits_per_character(held_out) for name, model in (("copies", gpt), ("none", clean))}
left = by_heart(clean, groups[-1])[0].max()
print(
    f"of the texts that stood in the set often {left:.0%} are known by heart, with copies {often.max():.0%}"
)
print(f"bits per character of held-out texts: {bits['none']:.2f}, with copies {bits['copies']:.2f}")
expect("Without copies less is known by heart.", left < often.max(), "These few passes are many already.")
expect(
    "Without copies held-out texts are known no worse, though the training took a fraction of the time.",
    bits["none"] <= bits["copies"],
    "It took so few steps that the network has hardly begun to learn.",
)

# %% [markdown]
# ## Papers
#
# - Carlini and others, *Extracting training data from large language models*,
#   [2021](https://arxiv.org/abs/2012.07805)
# - Carlini and others, *Quantifying memorization across neural language models*,
#   [2023](https://arxiv.org/abs/2202.07646)
# - Lee and others, *Deduplicating training data makes language models better*, [2022](https://arxiv.org/abs/2107.06499)
# - Private training: Abadi and others, *Deep learning with differential privacy*,
#   [2016](https://arxiv.org/abs/1607.00133)
