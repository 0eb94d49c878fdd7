# %% [markdown]
# # CLIP: classes by their names
#
# A picture and its caption are two views of one thing. Two networks, one for each, learn to tell which captions belong
# to which pictures of a batch. Whoever can do so can classify pictures by names alone, without a label.
#
# Of $n$ pairs, picture $i$ has the embedding $a_i$ and caption $j$ the embedding $b_j$, both of length 1. Each picture
# must find its caption among all of the batch, each caption its picture; the scale $s$ is learned:
#
# $$L = -\frac{1}{2n} \sum_i \left[ \log \frac{\exp(s\, a_i \cdot b_i)}{\sum_j \exp(s\, a_i \cdot b_j)} +
# \log \frac{\exp(s\, a_i \cdot b_i)}{\sum_j \exp(s\, a_j \cdot b_i)} \right]$$

# %%
epochs = 10  # passes over the pairs [1 to 100; small 1; full 40]
pairs = 3108  # pictures with captions to learn from [64 to 3108; small 128]
batch_size = 64  # pairs in a batch [8 to 512; small 32]
shown = 12  # pictures and captions in the matrix of cosines [2 to 30]
tested = 780  # pictures of the test part to judge by [60 to 780; small 120]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## The data
#
# Drawn shapes with captions: six colours, six shapes, nine places. A fifth of the 324 combinations is held out: a test
# picture shows a combination that no training picture showed, though its colour, its shape and its place were all seen.

# %%
import numpy as np
import torch

from replearn import CLIP, load_data
from replearn.lectures import expect, pictures

rng = np.random.default_rng(seed)
train, test = (load_data("captions", split=part) for part in ("train", "test"))
train = train.subset(np.sort(rng.permutation(len(train))[:pairs]))
test = test.subset(np.sort(rng.permutation(len(test))[:tested]))
captions, asked = list(train.members["text"].texts), list(test.members["text"].texts)
expect("No caption of the test part is one of the training part.", not {*captions} & {*asked})
print(*asked[:: max(1, len(asked) // 8)][:8], sep="\n")
pictures(
    {"test": test.members["image"][np.arange(len(test))[:: max(1, len(test) // 8)][:8]].floats().x.numpy()}
)

# %% [markdown]
# ## Training
#
# A small residual network reads pictures, a small transformer reads captions; a linear map takes each to the common
# space. The loss by hand, and by the library:

# %%
from replearn.objectives.modalities import softmax_pairing

settings = {
    "encoder": "image=resnet_tiny",
    "epochs": epochs,
    "batch_size": batch_size,
    "random_state": seed,
}
untrained = CLIP(**settings).prepare(train)
with torch.no_grad():
    scale = untrained.scale_()
    a, b = untrained.directions(train[np.arange(0, len(train), max(1, len(train) // 32))]).values()
similar = scale * a @ b.T  # (n, n): row i is picture i, column j caption j
own = torch.arange(len(a))
by_hand = (
    torch.nn.functional.cross_entropy(similar, own) + torch.nn.functional.cross_entropy(similar.T, own)
) / 2
ours = softmax_pairing(a, b, scale=scale)
print(f"by hand {by_hand:.5f}, by replearn {ours:.5f}; who guesses has {np.log(len(a)):.5f}")
expect("Both are the same number.", bool(torch.isclose(by_hand, ours, atol=1e-4)))

clip = CLIP(**settings).fit(train)

# %% [markdown]
# ## The matrix of cosines
#
# Test pictures down, their captions across: how alike the two networks find them. Bright on the diagonal is right.

# %%
from matplotlib.figure import Figure

some = np.sort(rng.permutation(np.unique(asked, return_index=True)[1])[:shown])
images, texts = test.members["image"].subset(some), [asked[i] for i in some]
cosines = clip.project(images) @ clip.project(texts, of="text").T  # (shown, shown)

figure = Figure(figsize=(8, 7.4), layout="constrained")
left, right = figure.subplots(1, 2, width_ratios=(1, len(some)))
left.imshow(
    np.concatenate(list(images[np.arange(len(some))].floats().x.numpy()), 1).transpose(1, 2, 0), aspect="auto"
)
left.axis("off")
shades = right.imshow(cosines, cmap="viridis", aspect="auto")
right.set_xticks(range(len(some)), texts, rotation=60, ha="right", fontsize=8)
right.set_yticks([])
figure.colorbar(shades, label="cosine")
figure

# %%
diagonal, others = np.diag(cosines), cosines[~np.eye(len(some), dtype=bool)]
found = cosines.argmax(1) == np.arange(len(some))
print(f"{found.sum()} of {len(some)} pictures are most like their own caption")
print(f"mean cosine with the own caption {diagonal.mean():.2f}, with others {others.mean():.2f}")
more = "Learn for longer: --epochs 40."
expect(
    "Pictures are more like their own captions than like others.", diagonal.mean() > others.mean() + 0.2, more
)

# %% [markdown]
# ## Retrieval, both ways
#
# For each test picture: is its caption first among all captions of the test part? For each caption: is one of its
# pictures first among all pictures? Beside CLIP stands what one builds without a network: ridge regression from
# principal components of the pixels to counts of words.

# %%
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

from replearn.evaluate import retrieval

pixels, words = PCA(0.95, whiten=True, svd_solver="full", random_state=seed), TfidfVectorizer()
x, counts = pixels.fit_transform(train.members["image"].flat()), words.fit_transform(captions).toarray()
bridge = Ridge(0.1 * len(x)).fit(x, counts)
spaces = {
    "pixels to counts of words": (
        bridge.predict(pixels.transform(test.members["image"].flat())),
        words.transform(asked).toarray(),
    ),
    "CLIP, untrained": (untrained.project(test.members["image"]), untrained.project(asked, of="text")),
    "CLIP": (clip.project(test.members["image"]), clip.project(asked, of="text")),
}
first, same = np.unique(asked, return_index=True, return_inverse=True)[1:]


def both_ways(of_images, of_texts):
    """Recall of the caption of a picture, and of a picture of a caption; equal captions count as one."""
    there = retrieval(of_images, of_texts[first], wanted=same)
    back = retrieval(of_texts, of_images, same=same)
    return {
        "caption first": there["recall@1"],
        "caption among five": there["recall@5"],
        "picture first": back["recall@1"],
        "picture among five": back["recall@5"],
    }


table = pd.DataFrame({name: both_ways(*space) for name, space in spaces.items()}).T
caption_first = table["caption first"]
print(f"{len(asked)} pictures, {len(first)} captions; by chance a caption is first for {1 / len(first):.1%}")
expect("Training matters.", caption_first["CLIP"] > caption_first["CLIP, untrained"], more)
expect(
    "CLIP finds more captions than what is built without a network.",
    caption_first["CLIP"] > caption_first["pixels to counts of words"],
    more,
)
table

# %% [markdown]
# ## Zero-shot: a classifier made of names
#
# To classify pictures by colour, embed the names of the colours, and take for each picture the nearest. No label was
# used, and the classes may be chosen after training. But a name alone, `red`, is no caption that the network has ever
# read. The paper found that it matters how one asks: a class is better embedded as the mean of several sentences, each
# like the captions of training. Here both ways.

# %%
names = {
    name: sorted({text.split(maxsplit=3)[at] for text in captions})
    for name, at in {"colour": 1, "shape": 2}.items()
}
names["place"] = sorted({text.split(maxsplit=3)[3] for text in captions})
sentences = {  # of each class, captions that hold its name, with all that else can be said
    "colour": {
        c: [f"a {c} {s} {p}" for s in names["shape"] for p in names["place"]] for c in names["colour"]
    },
    "shape": {s: [f"a {c} {s} {p}" for c in names["colour"] for p in names["place"]] for s in names["shape"]},
    "place": {p: [f"a {c} {s} {p}" for c in names["colour"] for s in names["shape"]] for p in names["place"]},
}
every = sorted({*captions, *asked})


def zero_shot(method, classes):
    """Accuracy of pictures of the test part by names of classes, each of which stands in the captions that it fits."""
    told = method.classify(test.members["image"], classes).argmax(1)
    listed = list(classes)
    right = [listed[k] in {text, *text.split(maxsplit=3)} for k, text in zip(told, asked, strict=True)]
    return float(np.mean(right))


rows = {
    name: {
        "classes": len(classes),
        "by chance": 1 / len(classes),
        "untrained": zero_shot(untrained, sentences[name]),
        "names alone": zero_shot(clip, classes),
        "mean of sentences": zero_shot(clip, sentences[name]),
    }
    for name, classes in names.items()
}
rows["caption"] = {
    "classes": len(every),
    "by chance": 1 / len(every),
    "untrained": zero_shot(untrained, every),
    "names alone": np.nan,
    "mean of sentences": zero_shot(clip, every),
}
zero = pd.DataFrame(rows).T.astype({"classes": int})
asked_well = zero["mean of sentences"]
expect(
    "Names make a classifier: colour, shape and place are all told at more than twice chance.",
    bool((asked_well > 2 * zero["by chance"])[:3].all()),
    more,
)
expect(
    "Sentences like those of training ask better than names alone, in all three.",
    bool((asked_well >= zero["names alone"])[:3].all()),
    "How well a lone word does is a matter of luck: the network was never taught what it should be.",
)
expect(
    "Combinations that were never shown are recognised: more than ten times chance among all captions.",
    asked_well["caption"] > 10 * zero["by chance"]["caption"],
    more,
)
zero

# %% [markdown]
# The last row asks for the whole caption. Its classes are all combinations, those of training, too, to which a picture
# of a new combination might be drawn.
#
# ## Exercise
#
# CLIP reads any text. What does it make of words that stood in no caption: *scarlet* for red, *disc* for circle? Try,
# and say what a set of captions must hold for this to work.

# %% solution
other = {
    "red": "scarlet",
    "green": "emerald",
    "blue": "azure",
    "yellow": "golden",
    "purple": "violet",
    "black": "dark",
}
said = {c: [s.replace(c, other[c]) for s in sentences["colour"][c]] for c in names["colour"] if c in other}
unknown = zero_shot(clip, said)
print(
    f"colours by words of training {asked_well['colour']:.0%}, by other words {unknown:.0%}; chance {1 / len(said):.0%}"
)
expect("Words that it never read do worse.", unknown < asked_well["colour"], more)

# %% [markdown]
# Nothing in these captions says that scarlet is a red. The 400 million captions of the paper do; so does a network of
# texts that has read before (`encoder="text=hf:FOLDER"`).
#
# ## Papers
#
# - CLIP: Radford and others, *Learning transferable visual models from natural language supervision*,
#   [2021](https://arxiv.org/abs/2103.00020)
# - The same loss for X-rays and reports: Zhang and others, *ConVIRT*, [2020](https://arxiv.org/abs/2010.00747)
# - With a sigmoid for each pair: Zhai and others, [2023](https://arxiv.org/abs/2303.15343)
