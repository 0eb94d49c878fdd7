# %% [markdown]
# # Codes before networks: k-means, PCA, sparse codes
#
# Three old methods are autoencoders in disguise: each squeezes an image through a small code and is scored by how
# well the image comes back. What their codes are made of can be drawn.
#
# A code is *one-hot* for k-means (which centre is nearest?), *linear* for PCA, and *sparse* for a dictionary. All
# three make the same error small, with an encoder $f$ and a decoder $g$:
#
# $$\dfrac{1}{n} \sum_i \Vert x_i - g(f(x_i)) \Vert^2$$
#
# The lectures draw the centres and components of digits and of patches of eight by eight pixels. Here they are.

# %%
centres = 20  # of k-means [2 to 100; small 5]
components = 20  # of PCA [2 to 100; small 5]
atoms = 32  # of the learners of patches [16 to 63; small 16]
images = 4000  # digits to learn from [200 to 8000; small 400; full 8000]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## k-means: the code is one of $k$
#
# The encoder says which centre is nearest, the decoder answers with that centre. k-means goes back and forth between
# the two: assign every digit to its nearest centre, then move every centre to the mean of its digits.
#
# $$f(x) = \arg\min_j \Vert x - \mu_j \Vert, \qquad g(j) = \mu_j$$

# %%
from replearn import load_data
from replearn.methods.classical import KMeans
from replearn.report.components import components_figure

digits = load_data("digits", split="train").subset(range(images))
test = load_data("digits", split="test")
kmeans = KMeans(n_clusters=centres, n_init=1, random_state=seed).fit(digits.flat())
components_figure(kmeans.cluster_centers_, shape=(28, 28), columns=10, title=f"{centres} centres of digits")

# %% [markdown]
# Each centre is the mean of the digits that are nearest to it, so it is a blurred digit. A digit that is written in
# several ways can have several centres. Nobody told k-means what a digit is; how well do its clusters agree with the
# classes?

# %%
import numpy as np
import pandas as pd

from replearn.lectures import expect

cluster = kmeans.predict(digits.flat())
counts = pd.crosstab(cluster, digits.labels).to_numpy()  # (centres, classes)
pure = counts.max(1).sum() / counts.sum()
named = {int(row.argmax()) for row in counts}
print(f"If each centre is named by its most frequent class, {pure:.0%} of the digits get their own name.")
print(f"Digits that no centre is named by: {', '.join(map(str, sorted(set(range(10)) - named))) or 'none'}.")
expect("Some digits have several centres.", len(named) < centres)
expect(
    "Clusters agree with classes far better than chance.",
    pure > 0.3,
    "With so few centres, classes must share.",
)

# %% [markdown]
# ## PCA: the code is linear
#
# The encoder is a matrix $W$ with orthonormal rows, the decoder its transpose. The best $W$ holds the directions in
# which the data vary most.
#
# $$\min_W \sum_i \Vert x_i - W^\top W x_i \Vert^2, \qquad W W^\top = I$$
#
# A component is a direction, so it has two signs: red is added, blue taken away.

# %%
from replearn.methods.classical import PCA

pca = PCA(n_components=components, random_state=seed).fit(digits.flat())
components_figure(
    pca.components_, shape=(28, 28), columns=10, title=f"the first {components} components of digits"
)

# %% [markdown]
# Look at how fine they are: blobs first, stripes later. How much do they keep? Digits of the test part, through codes
# of one number, two numbers and more:

# %%
from replearn.lectures import pictures

shown = test.flat()[:12]
rows = {"digit": shown}
for k in [k for k in (1, 2, 5, 10, 20, 50, 100) if k <= components]:
    code = pca.transform(shown)[:, :k]
    rows[f"{k} numbers" if k > 1 else "1 number"] = code @ pca.components_[:k] + pca.mean_
kept = pca.explained_variance_ratio_.sum()
rows[f"k-means, 1 of {centres}"] = kmeans.cluster_centers_[kmeans.predict(shown)]
pictures({name: np.reshape(images_, (-1, 1, 28, 28)) for name, images_ in rows.items()})

# %%
W = pca.components_
x = test.flat() - pca.mean_
error = np.square(x - x @ W.T @ W).sum(1).mean()  # ||x - W'Wx||^2, on digits it has not seen
of_kmeans = np.square(test.flat() - kmeans.cluster_centers_[kmeans.predict(test.flat())]).sum(1).mean()
print(f"{components} components keep {kept:.0%} of the variance.")
print(f"Squared error of a test digit: {error:.1f} by PCA, {of_kmeans:.1f} by k-means,")
print(f"{np.square(x).sum(1).mean():.1f} if every digit is taken for the mean digit.")
rough = np.abs(np.diff(W.reshape(-1, 28, 28), axis=2)).mean((1, 2))
expect(
    "Later components are finer than the first ones.",
    rough[len(W) // 2 :].mean() > rough[: len(W) // 2].mean(),
)
expect("The rows of W are orthonormal.", np.allclose(W @ W.T, np.eye(len(W)), atol=1e-4))
expect(
    "PCA's code of numbers keeps more than the one-hot code.", error < of_kmeans, "It has too few components."
)

# %% [markdown]
# ## Patches: what do small windows hold?
#
# Now the samples are patches of eight by eight pixels, cut from pictures, without colour.

# %%
import torch

colour = load_data("emoji", split="train")[np.arange(min(images, 1500))].x.float()
grey = colour.mean(1, keepdim=True) / 255  # (n, 1, 32, 32)
patches = torch.nn.functional.unfold(grey, 8, stride=6).transpose(1, 2).reshape(-1, 64).numpy()
patches = patches[patches.std(1) > 0.02]  # those in which there is something
of_patches = PCA(n_components=32).fit(patches).components_
components_figure(of_patches, shape=(8, 8), columns=16, title=f"components of {len(patches):,} patches")

# %% [markdown]
# The first component says whether a patch is light or dark. Then come steps from side to side and from top to bottom,
# then waves. A wave fills the whole patch, though what is *in* a picture, an edge, does not. Three other
# learners look at the same pictures: k-means, independent components (ICA) and a sparse dictionary. They see patches
# of equal contrast, whitened, so that no direction is large and only what is *rare together* is left to be found.

# %%
from replearn import PatchCodes
from replearn.data import ArraySamples

learners = ("pca", "ica", "kmeans", "dictionary")
greys = ArraySamples(grey.numpy())
codes = [PatchCodes(learner=name, atoms=atoms, random_state=seed).fit(greys) for name in learners]
found = [code.pictures()[:16] for code in codes]
components_figure(
    np.concatenate(found), columns=len(found[0]), title=f"from top to bottom: {', '.join(learners)}"
)


# %%
def in_one_place(atoms):
    """Share of an atom's energy in its strongest 16 of 64 pixels: 25 % if it is spread evenly."""
    energy = np.sort(np.square(atoms.reshape(-1, 64)), axis=1)[:, ::-1]
    return (energy[:, :16].sum(1) / energy.sum(1)).mean()


table = pd.DataFrame({"in one place": [in_one_place(code.pictures()) for code in codes]}, index=learners)
table.index.name = "learner"
one_sign = np.abs(of_patches[0].sum()) / np.abs(of_patches[0]).sum()
expect("The first component of patches has one sign: light or dark.", one_sign > 0.95)
rough = np.abs(np.diff(of_patches.reshape(-1, 8, 8), axis=2)).mean((1, 2))
expect("Later components of patches are finer than the first ones.", rough[16:].mean() > rough[:16].mean())
local = table["in one place"]
expect("Independent components are local, principal ones are not.", local["ica"] > local["pca"] + 0.05)
expect(
    "Centres of k-means are local, too.",
    local["kmeans"] > local["pca"] + 0.05,
    "Whitened centres can be ragged.",
)
table

# %% [markdown]
# ## Exercise
#
# k-means tells of a digit one of $k$ names, that is $\log_2 k$ bits; PCA tells real numbers. Make the comparison
# fair: keep only the signs of as many of PCA's numbers as a name has bits. What is the error then?

# %% solution
code = pca.transform(test.flat())
size = np.abs(pca.transform(digits.flat())).mean(0)  # the best answer to a sign, for numbers that lie evenly
bits = min(round(np.log2(centres)), components)
signs = np.square(x - (np.sign(code) * size)[:, :bits] @ W[:bits]).sum(1).mean()
print(f"signs of {bits} components, {bits} bits: {signs:.1f}")
print(f"k-means of {centres} centres, {np.log2(centres):.1f} bits: {of_kmeans:.1f}")
expect("Bit for bit the name of a centre keeps more.", of_kmeans < signs, "These centres are a poor optimum.")

# %% [markdown]
# ## Papers
#
# - PCA: Pearson, *On lines and planes of closest fit to systems of points in space*,
#   [1901](https://doi.org/10.1080/14786440109462720)
# - k-means: MacQueen, [1967](https://projecteuclid.org/euclid.bsmsp/1200512992)
# - Codes of patches: Coates, Lee and Ng, *An analysis of single-layer networks in unsupervised feature learning*,
#   [2011](https://proceedings.mlr.press/v15/coates11a.html)
# - Sparse codes: Olshausen and Field, *Emergence of simple-cell receptive field properties by learning a sparse code
#   for natural images*, [1996](https://doi.org/10.1038/381607a0)
