# %% [markdown]
# # Variational autoencoders: codes that can be drawn
#
# An autoencoder's code is full of holes: a point between two digits need not decode to anything. A VAE is paid for
# codes that fill the space, so that what is drawn at random decodes to something like a digit.
#
# The encoder tells where the code of $x$ lies, and how surely: a normal distribution $q(z|x)$. The code is drawn from
# it. The loss is the negative *evidence lower bound*: what the decoder gets wrong, and what the code costs.
#
# $$-\log p(x) \leq -E_{q(z|x)} \log p(x|z) + \mathrm{KL}(q(z|x) \Vert p(z)), \qquad p(z) = N(0, I)$$

# %%
epochs = 15  # passes over the digits [1 to 200; small 1; full 80]
images = 4000  # digits to learn from [200 to 8000; small 400; full 8000]
dim = 16  # numbers in the code of the second VAE [2 to 128]
draws = 50  # of the noise, to see how much the gradients vary [4 to 1000; small 4; full 400]
tested = 2000  # pictures of the test part to judge by [200 to 2000; small 200]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## The whole space of a code of two numbers
#
# With two numbers in the code the space can be drawn whole: a grid of codes, evenly spaced in probability, and what
# each decodes to.

# %%
from replearn import VAE, load_data
from replearn.report import manifold_figure

digits = load_data("digits", split="train").subset(range(images))
test = load_data("digits", split="test").subset(range(tested))
flat = VAE(dim=2, epochs=epochs, random_state=seed).fit(digits)
manifold_figure(flat, test)

# %% [markdown]
# Neighbours look alike, and digits turn into one another on the way. The same space, with the codes of digits that it
# has not seen, coloured by class:

# %%
import numpy as np
from matplotlib.figure import Figure

from replearn.lectures import expect, pictures

codes = flat.transform(test)
figure = Figure(figsize=(6, 5), layout="constrained")
axes = figure.subplots()
dots = axes.scatter(*codes.T, c=test.labels, cmap="tab10", s=6, vmin=-0.5, vmax=9.5, rasterized=True)
figure.colorbar(dots, ticks=range(10), label="digit")
axes.set(xlabel="first number of the code", ylabel="second number", aspect="equal")
figure

# %%
from sklearn.neighbors import KNeighborsClassifier

half = len(test) // 2

near = KNeighborsClassifier(10).fit(codes[:half], test.labels[:half]).score(codes[half:], test.labels[half:])
print(f"The ten nearest codes tell the class of {near:.0%} of the digits; chance is about 10 %.")
expect("Classes lie together, though no label was used.", near > 0.4, "Learn for longer: --epochs 80.")
spread = codes.std(0)
expect("The codes fill the space as the prior asks: deviations near 1.", bool((abs(spread - 1) < 0.5).all()))

# %% [markdown]
# ## Samples and what lies between
#
# Two numbers are few. With more, digits are sharper; the space can no longer be drawn, but one can draw codes from
# $N(0, I)$ and decode them.

# %%
vae = VAE(dim=dim, epochs=epochs, random_state=seed).fit(digits)
pictures(
    {
        "2 numbers": flat.sample(14),
        f"{dim} numbers": vae.sample(14),
        "real digits": test[np.arange(14)].x.numpy(),
    }
)

# %%
x = test.flat()
error = {
    name: np.square(x - one.inverse_transform(one.transform(test)).reshape(x.shape)).sum(1).mean()
    for name, one in {"2 numbers": flat, f"{dim} numbers": vae}.items()
}
drawn, real = vae.sample(500).reshape(500, -1), x[:500]
grey = [((images > 0.25) & (images < 0.75)).mean() / (images > 0.25).mean() for images in (drawn, real)]
print(
    "squared error of a test digit: " + ", ".join(f"{value:.1f} with {name}" for name, value in error.items())
)
print(f"grey among the inked pixels: {grey[0]:.0%} of samples, {grey[1]:.0%} of real digits")
expect("More numbers, a smaller error.", error[f"{dim} numbers"] < error["2 numbers"], "Learn for longer.")
expect("Samples are blurrier than real digits.", grey[0] > grey[1])

# %% [markdown]
# Between two digits: a mixture of *pixels* shows both at once, like a photograph exposed twice. On the straight line
# between their *codes* one digit becomes the other.

# %%
from replearn.report import interpolation_figure

interpolation_figure(vae, test, pairs=3, random_state=seed)

# %% [markdown]
# ## Two gradients of the same bound
#
# How does a gradient pass a random draw? *By the score*: hold the draw fixed, and make draws likelier that did well.
# *By reparameterisation*: write the draw as $z = \mu + \sigma \epsilon$, and differentiate through it. Both are right
# on average; the lectures say that the first varies far more. Here are both, many times, for the same digits and
# weights:
#
# $$\nabla E_q f = E_q [f(z) \nabla \log q(z)] = E_\epsilon [\nabla f(\mu + \sigma \epsilon)]$$

# %%
import torch

batch = digits[np.arange(64)]
weights = list(vae.code_.parameters())  # of the layer that tells the mean of the code


def gradients(estimator):
    """Gradients of the same loss at the same weights, for other draws of the noise."""
    vae.set_params(estimator=estimator)
    for draw in range(draws):
        torch.manual_seed(1000 * seed + draw)
        yield torch.cat([g.flatten() for g in torch.autograd.grad(vae.loss(batch), weights)])


score, through = (torch.stack(list(gradients(name))) for name in ("score", "analytic"))
vae.set_params(estimator="analytic")
variance = [float(g.var(0).sum()) for g in (score, through)]
times = variance[0] / variance[1]
print(f"variance by the score {variance[0]:.3g}, by reparameterisation {variance[1]:.3g}: {times:,.0f} times")
expect(
    "The score gradient varies far more: by more than a factor of a hundred.", variance[0] > 100 * variance[1]
)

# %%
figure = Figure(figsize=(7, 3), layout="constrained")
axes = figure.subplots(1, 2)
most = int(score.std(0).argmax())  # of one weight
for one, name, values in zip(axes, ("by the score", "by reparameterisation"), (score, through), strict=True):
    one.hist(values[:, most].numpy(), bins=20, color="#0b62c4")
    one.set(title=name, xlabel="gradient of one weight")
axes[0].set_ylabel("draws")
figure

# %% [markdown]
# Look at the numbers below the two histograms: they are not on one scale.
#
# ## Exercise
#
# How many draws would the score gradient need for a mean that is as sure as *one* draw by reparameterisation? The
# variance of a mean of $k$ draws is that of one, divided by $k$. A baseline helps: take off each draw's value the mean
# of the sample's other draws. By how much?

# %% solution
vae.set_params(draws=2, baseline=True)
with_baseline = torch.stack(list(gradients("score")))
two = torch.stack(list(gradients("analytic")))
vae.set_params(estimator="analytic", draws=1, baseline=False)
ratio = [float(a.var(0).sum() / b.var(0).sum()) for a, b in ((score, through), (with_baseline, two))]
print(f"draws needed: about {ratio[0]:,.0f} without, {ratio[1]:,.0f} with a baseline")
expect("A baseline makes the score gradient vary less.", ratio[1] < ratio[0])

# %% [markdown]
# ## Papers
#
# - Kingma and Welling, *Auto-encoding variational Bayes*, [2014](https://arxiv.org/abs/1312.6114)
# - Rezende, Mohamed and Wierstra, *Stochastic backpropagation*, [2014](https://arxiv.org/abs/1401.4082)
# - The score gradient: Williams, [1992](https://doi.org/10.1007/BF00992696)
