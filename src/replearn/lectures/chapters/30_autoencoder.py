# %% [markdown]
# # Autoencoders: a code that is too small to copy
#
# An autoencoder is PCA with bends: a network squeezes the image into a few numbers, another one draws the image from
# them, and both are trained so that it comes back. Give it more numbers, and more comes back.
#
# Encoder $f$ and decoder $g$ are networks, trained together to make the squared error small:
#
# $$\min_{f, g} \dfrac{1}{n} \sum_i \Vert x_i - g(f(x_i)) \Vert^2$$
#
# If both are linear, the best they can do is PCA. What do the bends add?

# %%
sizes = (2, 8, 32)  # numbers in the code, one autoencoder for each [1 to 256; small (2, 8)]
epochs = 10  # passes over the digits [1 to 200; small 1; full 60]
images = 4000  # digits to learn from [200 to 8000; small 400; full 8000]
noise = 0.5  # share of the pixels that are destroyed for the denoising autoencoder [0.05 to 0.95]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## One autoencoder for each size of code

# %%
import numpy as np
import pandas as pd

from replearn import Autoencoder, load_data
from replearn.lectures import chart, expect, pictures
from replearn.methods.classical import PCA

digits = load_data("digits", split="train").subset(range(images))
test = load_data("digits", split="test")
x = test.flat().reshape(-1, 1, 28, 28)  # on the scale [0, 1]

came_back = {}
for dim in sizes:
    coder = Autoencoder(dim=dim, epochs=epochs, random_state=seed).fit(digits)
    came_back[f"network, {dim}"] = coder.inverse_transform(coder.transform(test))
    pca = PCA(n_components=dim, random_state=seed).fit(digits.flat())
    came_back[f"PCA, {dim}"] = pca.inverse_transform(pca.transform(test.flat())).reshape(x.shape)

pictures(
    {"digit": x[:12]} | {name: images[:12] for name, images in came_back.items()},
    title="through codes of so many numbers",
)

# %% [markdown]
# These digits were not learned from. Compare the two rows of one size: a code of few numbers that may bend makes a
# digit of strokes, where PCA's makes a shadow of several. And with many numbers?

# %%
error = {name: np.square(x - images).sum((1, 2, 3)).mean() for name, images in came_back.items()}
network, linear = ([error[f"{kind}, {dim}"] for dim in sizes] for kind in ("network", "PCA"))
more = "Learn for longer: --epochs 60."
expect(
    "The larger the code, the more comes back.",
    (np.diff(network) < 0).all() and (np.diff(linear) < 0).all(),
    more,
)
expect("With the smallest code the network's error is lower than PCA's.", network[0] < linear[0], more)
expect(
    "What the bends gain is less with the largest code.",
    linear[-1] / network[-1] < linear[0] / network[0],
    more,
)
chart(
    sizes,
    {"PCA": linear, "network": network},
    x_label="numbers in the code",
    y_label="squared error",
    log=True,
)

# %% [markdown]
# ## What is the code good for?
#
# Nobody needs a copy of a digit; the code is the point. Can a linear classifier read the digit off it?

# %%
from replearn.evaluate import linear_probe


def read(code):
    """How many digits of the test part a straight line tells right, from a code of them all."""
    rows, rows_of_test = code(digits), code(test)
    return linear_probe(rows, digits.labels, rows_of_test, test.labels, regularisations=[0.01]).accuracy


right = {
    "raw pixels": read(lambda some: some.flat()),
    f"PCA, {sizes[-1]} numbers": read(lambda some: pca.transform(some.flat())),
    f"autoencoder, {sizes[-1]} numbers": read(coder.transform),
}
best = max(right, key=right.get)
print(f"Best read by a straight line: {best}. A small error is not the same as a good representation.")
pd.DataFrame({"accuracy of a linear classifier": right})

# %% [markdown]
# ## Denoising: take away, and ask for it back
#
# A code that is large could copy its input and learn nothing. So destroy a part of the input and ask for the *whole*.
# Copying no longer helps: what is gone must be told from what is left.
#
# $$\min_{f, g} \dfrac{1}{n} \sum_i \Vert x_i - g(f(\tilde{x}_i)) \Vert^2$$
#
# Here $\tilde{x}_i$ is the digit $x_i$ under noise.

# %%
import torch

from replearn import DenoisingAutoencoder
from replearn.views import Pair, SaltAndPepper, Same

spoil = SaltAndPepper(noise)  # so many pixels become black or white, by a fair coin
denoiser = DenoisingAutoencoder(dim=64, views=Pair(spoil, Same()), epochs=epochs, random_state=seed).fit(
    digits
)

torch.manual_seed(seed)
few = test[np.arange(200)]
noisy = spoil(few).x.float().numpy()
noisy = noisy / max(1.0, noisy.max())
clean = denoiser.inverse_transform(denoiser.transform(noisy))
pictures(
    {"noisy": noisy[:12], "denoised": clean[:12], "original": x[:12]},
    title=f"{noise:.0%} of the pixels destroyed",
)

# %%
before, after = (np.square(x[:200] - images).sum((1, 2, 3)) for images in (noisy, clean))
print(f"Squared error of a digit: {before.mean():.0f} under noise, {after.mean():.1f} denoised.")
worst = int(after.argmax())
expect("Every digit is nearer to its original than it was under noise.", (after < before).all(), more)
pictures(
    {"noisy": noisy[[worst]], "denoised": clean[[worst]], "original": x[[worst]]}, title="the worst of 200"
)

# %% [markdown]
# ## Exercise
#
# The lectures say that linear networks learn what PCA learns. Check it: train an autoencoder with a linear encoder and
# a linear decoder, and compare its error with PCA's of as many numbers. Can it be lower?

# %% solution
dim, rows = sizes[0], digits.flat()
straight = Autoencoder(encoder="linear", decoder="linear", dim=dim, epochs=8 * epochs, random_state=seed).fit(
    digits
)
pca = PCA(n_components=dim).fit(rows)
told = straight.inverse_transform(straight.transform(digits)).reshape(rows.shape)
ours = np.square(rows - told).sum(1).mean()
of_pca = np.square(rows - pca.inverse_transform(pca.transform(rows))).sum(1).mean()
print(f"On the digits that were learned from, {dim} numbers: linear network {ours:.2f}, PCA {of_pca:.2f}")
expect("No linear code has a lower error than PCA's on the digits it learned from.", ours >= of_pca - 1e-3)
expect("The linear network comes near to it.", ours < 1.1 * of_pca, more)

# %% [markdown]
# ## Papers
#
# - Autoencoders: Hinton and Salakhutdinov, *Reducing the dimensionality of data with neural networks*,
#   [2006](https://doi.org/10.1126/science.1127647)
# - Linear ones are PCA: Baldi and Hornik, [1989](https://doi.org/10.1016/0893-6080%2889%2990014-2)
# - Denoising: Vincent, Larochelle, Bengio and Manzagol, [2008](https://doi.org/10.1145/1390156.1390294)
