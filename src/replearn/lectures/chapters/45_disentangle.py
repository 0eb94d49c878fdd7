# %% [markdown]
# # Disentanglement: one number, one meaning
#
# A code may know all about a picture and still be a riddle: each of its numbers a mixture of place, size and shape. A
# *disentangled* code has a number for each independent factor of the data. The β-VAE asks for it with one factor in
# the loss.
#
# The loss is that of a VAE (see its chapter), but what the code tells costs $\beta$ times as much. A code that must be
# cheap is left with the directions in which the data vary most, and is pressed to keep them apart:
#
# $$L = -E_{q(z|x)} \log p(x|z) + \beta \, \mathrm{KL}(q(z|x) \Vert p(z))$$

# %%
images = 4000  # pictures of shapes to learn from [500 to 15000; small 500; full 15000]
epochs = 25  # passes over them [1 to 200; small 1; full 40]
betas = (1, 4, 16)  # prices of what the code tells; 1 is the plain VAE [0.1 to 100; small (1, 8)]
dim = 10  # numbers in the code [2 to 64]
tested = 2000  # pictures of the test part to judge by [500 to 3000; small 500]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## Pictures that are made from five factors
#
# A square, an ellipse or a heart, of some size, turned, somewhere in the picture. Which factors a picture was made from
# is known, so that codes can be judged; the method is not told.

# %%
import numpy as np

from replearn import BetaVAE, load_data
from replearn.lectures import chart, expect, pictures

rng = np.random.default_rng(seed)
shapes, test = (load_data("shapes", split=part) for part in ("train", "test"))
shapes = shapes.subset(rng.permutation(len(shapes))[:images])  # they lie in the order of their factors
test = test.subset(rng.permutation(len(test))[:tested])
pictures({"some": test[np.arange(14)].floats().x.numpy(), "more": test[np.arange(14, 28)].floats().x.numpy()})

# %%
fitted = {beta: BetaVAE(beta=beta, dim=dim, epochs=epochs, random_state=seed).fit(shapes) for beta in betas}
plain, priciest = fitted[betas[0]], fitted[betas[-1]]

# %% [markdown]
# ## Traversals
#
# One number of the code moves from low to high, all others stay: a row for each number, those that tell most first,
# with how much they tell (KL, in nats). First the plain VAE, then the one that pays most.

# %%
from replearn.report import traversal_figure

traversal_figure(plain, test, units=6)

# %%
traversal_figure(priciest, test, units=6)

# %% [markdown]
# ## Scores
#
# - *MIG*: for each factor, how much more the number that knows most of it knows than the second does
# - *DCI disentanglement*: does each number serve the prediction of one factor alone?
# - *FactorVAE score*: hold one factor fixed; the number of the code that then varies least should tell which it was

# %%
import pandas as pd

from replearn.evaluate import disentanglement
from replearn.methods.inside import divergences_of

x = test.flat()


def judged(method):
    """Scores of disentanglement, how many numbers tell anything, and what the decoder gets wrong."""
    codes = method.transform(test)
    found = disentanglement(codes, test.factors, collapsed=0.05, random_state=seed).set_index("measure")[
        "mean"
    ]
    wrong = np.square(x - method.inverse_transform(codes).reshape(x.shape)).sum(1).mean()
    told = divergences_of(method, test)
    return {
        "MIG": found["MIG"],
        "DCI disentanglement": found["DCI disentanglement"],
        "FactorVAE score": found["FactorVAE score"],
        "nats told": told.sum(),
        "numbers in use": int((told > 0.1).sum()),
        "squared error": wrong / np.square(x - x.mean(0)).sum(1).mean(),
    }


table = pd.DataFrame({f"beta = {beta:g}": judged(method) for beta, method in fitted.items()}).T
first, last, best = table.iloc[0], table.iloc[-1], table["DCI disentanglement"].idxmax()
more = "Learn for longer: --epochs 60."
print(f"best by DCI: {best}")
expect("The plain VAE is not the best disentangled, by DCI.", best != table.index[0], more)
expect("Nor by MIG.", table["MIG"].idxmax() != table.index[0], more)
expect(
    "Nor by the FactorVAE score.",
    table["FactorVAE score"].idxmax() != table.index[0],
    "A factor that no number tells any more can't win a vote: with few numbers in use the score is low.",
)
expect("The higher the price, the less the code tells.", table["nats told"].is_monotonic_decreasing, more)
expect(
    "The higher the price, the fewer numbers are in use.",
    last["numbers in use"] < first["numbers in use"],
    more,
)
table

# %% [markdown]
# ## What it costs
#
# What the code does not tell, the decoder can't draw. The error is relative to that of who always draws the mean
# picture:

# %%
expect("The higher the price, the larger the error.", table["squared error"].is_monotonic_increasing, more)
chart(
    betas,
    {name: table[name].to_numpy() for name in ("squared error", "DCI disentanglement")},
    x_label="beta (logarithmic)",
    y_label="share",
    log=True,
)

# %%
sample = np.arange(14)
rows = {f"beta = {b:g}": m.inverse_transform(m.transform(test.subset(sample))) for b, m in fitted.items()}
true = test[sample].floats().x.numpy()
pictures({"true": true} | {name: drawn.reshape(true.shape) for name, drawn in rows.items()})

# %% [markdown]
# Which factor is lost first? Place and size move many pixels, a turn moves few. What is cheap to leave out is left out.
# None of this can work for every data set: without any label, codes that are mixed explain the data as well as codes
# that are not, and only the choice of network and loss prefers some.
#
# ## Exercise
#
# For each factor that is an amount (scale, x, y), find the number of the code that goes with it best, by rank
# correlation, in the first and the last of these networks.

# %% solution
from scipy.stats import spearmanr

amounts = [test.factor_names.index(name) for name in ("scale", "x", "y")]
table_of = {}
for beta, method in ((betas[0], plain), (betas[-1], priciest)):
    codes = method.transform(test)
    table_of[f"beta = {beta:g}"] = {
        test.factor_names[f]: np.nanmax(
            [abs(spearmanr(codes[:, k], test.factors[:, f]).statistic) for k in range(dim)]
        )
        for f in amounts
    }
solved = pd.DataFrame(table_of)
expect(
    "With the highest price x and y each have a number that goes with them better than with the lowest.",
    (solved.iloc[1:, 1] > solved.iloc[1:, 0]).all(),
    "The axes of the code may lie aslant to those of the picture: the KL term does not mind which two directions.",
)
solved

# %% [markdown]
# ## Papers
#
# - β-VAE: Higgins and others, [2017](https://openreview.net/forum?id=Sy2fzU9gl)
# - Why it disentangles: Burgess and others, *Understanding disentangling in β-VAE*,
#   [2018](https://arxiv.org/abs/1804.03599)
# - MIG: Chen, Li, Grosse and Duvenaud, [2018](https://arxiv.org/abs/1802.04942); DCI: Eastwood and Williams,
#   [2018](https://openreview.net/forum?id=By-7dz-AZ); FactorVAE: Kim and Mnih,
#   [2018](https://arxiv.org/abs/1802.05983)
# - Why not without labels in general: Locatello and others, [2019](https://arxiv.org/abs/1811.12359)
