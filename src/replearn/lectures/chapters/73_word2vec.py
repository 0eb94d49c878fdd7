# %% [markdown]
# # Words as vectors: word2vec
#
# You shall know a word by the company it keeps. Whoever can tell which words stand near a word has put words that are
# used alike near each other, and differences between them in directions.
#
# *Skip-gram with negative sampling*: each word $w$ has a vector $v_w$, and as a neighbour another one, $u_w$. Of a pair
# that stands together in a text, and of $k$ words drawn at random, the network has to tell which is which:
#
# $$L = -\log \sigma(u_c \cdot v_w) - \sum_{j=1}^{k} \log \sigma(-u_{n_j} \cdot v_w)$$

# %%
sentences = 4000  # of a made language [500 to 50000; small 500]
dim = 20  # numbers in a vector of the made language [2 to 200]
epochs = 10  # passes over its sentences [1 to 100; small 2; full 20]
window = 3  # words on each side that count as near [1 to 10]
texts = 2000  # of Python's manual [100 to 2000; small 100]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## The pairs of a sentence
#
# All that is learned from are pairs of a word and a word near it.

# %%
import pandas as pd

sentence = ["the", "queen", "wears", "her", "crown", "in", "the", "palace"]
pairs = [
    (word, ", ".join(sentence[max(0, i - window) : i] + sentence[i + 1 : i + 1 + window]))
    for i, word in enumerate(sentence)
]
pd.DataFrame(pairs, columns=["word", "its neighbours"]).set_index("word")

# %% [markdown]
# ## A made language
#
# Six people differ in two things: whether *he* or *she* stands near them, and where they live. Nobody tells the
# network; it sees sentences.

# %%
import numpy as np

from replearn import Word2Vec
from replearn.lectures import expect

people = {
    "king": ("he", "palace"),
    "queen": ("she", "palace"),
    "man": ("he", "house"),
    "woman": ("she", "house"),
    "boy": ("he", "school"),
    "girl": ("she", "school"),
}
of_pronoun = {"he": ["his", "him", "himself", "beard"], "she": ["her", "hers", "herself", "gown"]}
of_place = {
    "palace": ["crown", "throne", "rules", "guards"],
    "house": ["works", "kitchen", "garden", "table"],
    "school": ["learns", "plays", "lessons", "books"],
}
draw = np.random.default_rng(seed)


def made():
    """A sentence: somebody, and words that go with who that is and with where that is."""
    name = draw.choice(list(people))
    pronoun, place = people[name]
    words = [pronoun, place, *draw.choice(of_pronoun[pronoun], 2), *draw.choice(of_place[place], 2)]
    draw.shuffle(words)
    return " ".join([*words[:3], name, *words[3:]])


language = [made() for _ in range(sentences)]
print("\n".join(language[:3]))
settings = {"dim": dim, "window": window, "sample": 0.0, "random_state": seed}
model = Word2Vec(**settings, epochs=epochs).fit(language)

# %% [markdown]
# ## Analogies
#
# If *he* and *she* are a direction, then king − man + woman lies near queen. The three words of the question are no
# answers.

# %%
questions = [
    ("man", "king", "woman", "queen"),
    ("woman", "queen", "man", "king"),
    ("boy", "king", "girl", "queen"),
    ("king", "man", "queen", "woman"),
    ("king", "boy", "queen", "girl"),
    ("man", "boy", "woman", "girl"),
]
answers = [model.words_.analogy(a, b, c)[0][0] for a, b, c, _ in questions]
right = sum(answer == d for answer, (*_, d) in zip(answers, questions, strict=True))
expect(
    "Most of the six analogies are answered.", right > len(questions) / 2, "Give more sentences, or epochs."
)
pd.DataFrame(
    {"question": [f"{b} - {a} + {c}" for a, b, c, _ in questions], "answer": answers},
    index=[d for *_, d in questions],
)

# %% [markdown]
# ## The map
#
# The six people in the two directions in which they differ most (PCA).

# %%
from matplotlib.figure import Figure

names = list(people)
vectors = model.words_.unit()[model.words_.rows(names)].numpy()
axes_found = np.linalg.svd(vectors - vectors.mean(0), full_matrices=False)[2][:2]
places = (vectors - vectors.mean(0)) @ axes_found.T
figure = Figure(figsize=(5, 4), layout="constrained")
axes = figure.subplots()
for a, b in (("king", "queen"), ("man", "woman"), ("boy", "girl")):
    axes.plot(*places[[names.index(a), names.index(b)]].T, color="#b0b0b0", zorder=0)
axes.scatter(*places.T, color="#0b62c4")
for name, place in zip(names, places, strict=True):
    axes.annotate(name, place, xytext=(5, 5), textcoords="offset points")
axes.set(xticks=[], yticks=[])
he_to_she = [
    vectors[names.index(b)] - vectors[names.index(a)] for a, b in (("king", "queen"), ("man", "woman"))
]
cosine = float(he_to_she[0] @ he_to_she[1] / np.linalg.norm(he_to_she[0]) / np.linalg.norm(he_to_she[1]))
print(f"From king to queen and from man to woman: cosine {cosine:.2f}")
expect("Both go the same way.", cosine > 0.5, "Give more sentences, or epochs.")
figure

# %% [markdown]
# ## A real text
#
# The same on Python's manual, of which there is little: the published vectors have seen a hundred thousand times as
# many words.

# %%
from replearn import load_data

manual = load_data("python-manual", split="train")
manual = manual.subset(range(min(texts, len(manual))))
real = Word2Vec(epochs=3 * epochs, random_state=seed).fit(manual)
asked = [word for word in ("list", "error", "float", "class", "import") if word in real.words_]
near = {word: [other for other, _ in real.words_.most_similar(word, n=6)] for word in asked}
pd.DataFrame(near).T.rename(columns=lambda i: f"nearest {i + 1}")

# %% [markdown]
# ## Exercise
#
# Does counting do as well? `GloVe` learns from how often words stand together, where pairs that are counted `most`
# times or more weigh the same. In a language of so few words nearly all are: what should `most` be?

# %% solution
from replearn import GloVe

also = {}
for most in (10.0, 1000.0):
    counted = GloVe(dim=dim, window=window, epochs=5 * epochs, most=most, random_state=seed).fit(language)
    found = [counted.words_.analogy(a, b, c)[0][0] for a, b, c, _ in questions]
    also[most] = sum(answer == d for answer, (*_, d) in zip(found, questions, strict=True))
    print(f"most {most:g}: {also[most]} of {len(questions)} ({', '.join(found)})")
expect(
    "Where frequent pairs weigh more, counting answers most of them, too.", also[1000.0] > len(questions) / 2
)
expect("Where all weigh the same, it answers fewer.", also[10.0] < also[1000.0])

# %% [markdown]
# ## Papers
#
# - word2vec: Mikolov et al., *Efficient estimation of word representations in vector space*,
#   [2013](https://arxiv.org/abs/1301.3781), and *Distributed representations of words and phrases and their
#   compositionality*, [2013](https://arxiv.org/abs/1310.4546)
# - GloVe: Pennington, Socher and Manning, [2014](https://aclanthology.org/D14-1162)
