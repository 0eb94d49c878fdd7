# %% [markdown]
# # Markov, recurrent network, GPT: who knows the next word?
#
# Whoever predicts the next token of a text has to know something of the text. The further back a model can look, the
# more it may know: one token (Markov), all of them through a memory (recurrent network), all of them at once
# (transformer).
#
# All three say how probable each next token is, and learn by one loss, the mean of
#
# $$-\log p(x_{i+1} \,|\, x_1, \ldots, x_i)$$
#
# over all tokens of all texts. While a model learns, the true past is given (*teacher forcing*); when it writes, it
# reads what it has written itself.

# %%
texts = 1000  # of Python's manual to learn from [50 to 2000; small 50; full 2000]
epochs = 4  # passes over them, of the networks [1 to 50; small 1; full 20]
vocabulary = 512  # kinds of tokens [300 to 4096]
written = 60  # tokens that each model writes [5 to 300; small 10]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## Texts, cut into tokens
#
# The texts are those of Python's own manual on this machine. A tokenizer joins letters that often stand together (byte
# pair encoding), so that a token is a short word or a part of one.

# %%
import numpy as np

from replearn import GPT, LSTMLanguageModel, NGram, load_data
from replearn.lectures import chart, expect

order = np.random.default_rng(seed).permutation(len(load_data("python-manual", split="train")))
train = load_data("python-manual", split="train").subset(order[:texts])
test = load_data("python-manual", split="test")
held_out = list(test.texts[:200])
print(f"{len(train):,} texts to learn from; one that is not among them begins:\n{held_out[0][:160]} ...")

# %% [markdown]
# ## Three models
#
# *Markov* counts how often each token follows each other token. *Five tokens* is the same with four tokens of past,
# smoothed where a past was never seen (Kneser and Ney). The recurrent network keeps a memory, the GPT looks at all
# tokens of its window.

# %%
small = {"vocabulary": vocabulary, "random_state": seed}
models = {
    "Markov": NGram(order=2, vocabulary=vocabulary),
    "five tokens": NGram(order=5, vocabulary=vocabulary),
    "recurrent network": LSTMLanguageModel(**small, epochs=epochs, window=64),
    "GPT": GPT(**small, encoder="gpt_tiny", epochs=epochs, window=64),
}
fitted = {name: model.fit(train) for name, model in models.items()}

# %% [markdown]
# ## How well does each know texts that it has not seen?
#
# *Bits per character*: how many yes-or-no questions a letter costs who has the model to ask. Letters that were all
# equally probable would cost about 6.

# %%
import pandas as pd

learned = list(train.texts[:200])
bits = pd.DataFrame(
    {
        "on unseen texts": {name: model.bits_per_character(held_out) for name, model in fitted.items()},
        "on texts it learned from": {
            name: model.bits_per_character(learned) for name, model in fitted.items()
        },
    }
)
unseen = bits["on unseen texts"]
expect("Four tokens of past tell more than one.", unseen["five tokens"] < unseen["Markov"])
for name in ("recurrent network", "GPT"):
    expect(f"The {name} knows more than Markov.", unseen[name] < unseen["Markov"], "Take more epochs.")
expect(
    "On so little text five counted tokens still know more than both networks.",
    unseen["five tokens"] < min(unseen["recurrent network"], unseen["GPT"]),
    "It is enough text for networks: the order is that of the lectures.",
)
expect(
    "Counts know by heart: of all models, five tokens gain most from having seen a text.",
    (bits["on unseen texts"] - bits["on texts it learned from"]).idxmax() == "five tokens",
    "The networks have learned for so long that they know texts by heart, too.",
)
bits.round(2)

# %% [markdown]
# ## What they write
#
# The same beginning, and the same dice. Read aloud: which of them could be a sentence? A token is drawn in proportion
# to its probability.

# %%
for name, model in fitted.items():
    (text,) = model.generate("The function", tokens=written, random_state=seed)
    print(f"{name}:\n{' '.join(text.split())}\n")

# %% [markdown]
# ## How far back does it help to look?
#
# The GPT again, on unseen texts, by the place of a token in its text: who has read more of a text needs fewer bits.

# %%
nats = fitted["GPT"].token_log_likelihoods(held_out)
places = [2, 4, 8, 16, 32, 64]  # to each of them from the one before
means = [
    float(-np.concatenate([row[place // 2 : place] for row in nats]).mean() / np.log(2)) for place in places
]
expect(
    "Tokens late in a text cost fewer bits than those near its beginning.",
    means[-1] < means[1],
    "The network has not learned to use its past: take more epochs.",
)
chart(places, {"GPT": means}, x_label="place of the token in its text", y_label="bits per token", log=True)

# %% [markdown]
# ## Exercise
#
# *Temperature* divides the logits before a token is drawn. What does the GPT write at 0.3, where probable tokens
# become more so, and at 1.5? Which of both invents words?

# %% solution
known = {word for text in train.texts[:] for word in text.split()}
shares = {}
for temperature in (0.3, 1.0, 1.5):
    drawn = fitted["GPT"].generate(
        "The function", tokens=written, temperature=temperature, n=8, random_state=seed
    )
    words = " ".join(drawn).split()
    shares[temperature] = sum(word in known for word in words) / len(words)
    told = f"{shares[temperature]:.0%} of the words it writes stand in the texts it learned from"
    print(f"{temperature}: {told}\n{' '.join(drawn[0].split())[:200]}\n")
expect("The hotter, the more words are invented.", shares[0.3] > shares[1.0] > shares[1.5])

# %% [markdown]
# ## Papers
#
# - Markov chains that write: Shannon, *A mathematical theory of communication*,
#   [1948](https://doi.org/10.1002/j.1538-7305.1948.tb01338.x)
# - Recurrent networks: Mikolov et al., *Recurrent neural network based language model*,
#   [2010](https://www.isca-archive.org/interspeech_2010/mikolov10_interspeech.html)
# - GPT: Radford et al., *Improving language understanding by generative pre-training*,
#   [2018](https://cdn.openai.com/research-covers/language-unsupervised/language_understanding_paper.pdf)
