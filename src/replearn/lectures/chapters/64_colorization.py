# %% [markdown]
# # Colorization: what colours did it have?
#
# Take the colours off a picture and tell them from the grey. Who knows that this is a tomato knows that it is red. The
# question has no single answer, a car may have any colour, and that makes all the difference.
#
# Were the colour predicted as two numbers with squared error, a thing that is blue or yellow would come out as
# their mean, nearly grey. So a distribution over bins $q$ of colour $(a, b)$ is learned at each place $x$, rare colours
# weighing more, with weights $v$ from the shares $\tilde p$ of colours; and the colour that is shown is a mean that
# leans to the likeliest bins, by a temperature $T$:
#
# $$L = -\sum_x v(q^*_x) \sum_q y_{xq} \log p_{xq}, \qquad v(q) \propto \left((1 - \lambda) \tilde p(q) +
# \frac{\lambda}{Q}\right)^{-1}, \qquad f_T(p)_q = \frac{p_q^{1/T}}{\sum_k p_k^{1/T}}$$

# %%
epochs = 15  # passes over the emoji [1 to 200; small 1; full 80]
images = 1524  # emoji to learn from [64 to 1524; small 128]
temperature = 0.38  # of the mean colour; 1 is the plain mean [0.01 to 1]
tested = 382  # emoji that were not seen, to judge by [40 to 382; small 60]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## Grey, predicted, true

# %%
import numpy as np
import torch

from replearn import Colorization, load_data
from replearn.lectures import expect, pictures

rng = np.random.default_rng(seed)
train, test = (load_data("emoji", split=part) for part in ("train", "test"))
train = train.subset(rng.permutation(len(train))[:images])
test = test.subset(rng.permutation(len(test))[:tested])
settings = {"encoder": "cnn", "epochs": epochs, "random_state": seed, "temperature": temperature}
method = Colorization(**settings).fit(train)

true = test[np.arange(len(test))].floats().x
predicted = torch.as_tensor(method.colour(test))
with torch.inference_mode():
    exhibit = method.exhibit(test[np.arange(len(test))])
pictures({name: images_.numpy() for name, images_ in exhibit.pictures.items()})

# %% [markdown]
# From left to right the error grows: the emoji that is coloured best is at the left, the worst at the right. Look at
# where it fails: is what it says a colour that the thing might have had?
#
# ## Failures, and what one can't know

# %%
from replearn.encoders.colours import colours_of
from replearn.views.lab import lab

guessed, real = (colours_of(lab(x)[:, 1:]) for x in (predicted, true))  # a and b, 0 is grey
apart = (guessed - real).square().sum(1).mean((1, 2))  # (n,)
worst = apart.argsort(descending=True)[:12]
lively = real.square().sum(1).mean((1, 2))  # how colourful it was
print(f"correlation of the error with how colourful the emoji is: {np.corrcoef(apart, lively)[0, 1]:.2f}")
expect(
    "The more colourful an emoji, the larger the error: grey is never far off.",
    np.corrcoef(apart, lively)[0, 1] > 0.3,
    "Weights for rare colours make it bold: it errs by colouring what is grey, too.",
)
pictures(
    {"predicted": predicted[worst].numpy(), "true": true[worst].numpy()}, title="the worst of the test part"
)

# %% [markdown]
# ## How good is that? A number that rewards grey, and one that does not
#
# Plain accuracy: the share of places whose bin of colour is told. Many places of an emoji are its ground, so who always
# says the commonest bin has these. Balanced accuracy: the mean over bins of the share of *their* places that are told,
# where each colour counts alike. Beside the weighted loss stands one that weighs all places alike ($\lambda = 1$).

# %%
import pandas as pd

plain = Colorization(**settings, uniform=1.0).fit(train)


def told(one):
    """Plain and balanced accuracy, and how colourful what it says is: 1 is as the truth."""
    torch.manual_seed(seed)
    with torch.inference_mode():
        found = one.measures(test[np.arange(len(test))])
    names = {
        "accuracy": "pretext_accuracy",
        "balanced accuracy": "balanced_accuracy",
        "colourful": "chroma_ratio",
    }
    return {name: float(found[key]) for name, key in names.items()}


with torch.inference_mode():
    _, right = method.guess(test[np.arange(len(test))])
commonest = right.bincount().max().item() / len(right)
table = pd.DataFrame(
    {
        "always the commonest bin": {
            "accuracy": commonest,
            "balanced accuracy": 1 / len(right.unique()),
            "colourful": np.nan,
        },
        "all places weighed alike": told(plain),
        "rare colours weigh more": told(method),
    }
).T
weighed, alike = table.loc["rare colours weigh more"], table.loc["all places weighed alike"]
more = "Learn for longer: --epochs 80."
expect(
    "Plain accuracy can be had without looking: the commonest bin alone has more than a third.",
    commonest > 1 / 3,
    f"It has {commonest:.0%}: emoji are more colourful than photographs.",
)
expect(
    "Weights cost plain accuracy.",
    weighed["accuracy"] < alike["accuracy"],
    more,
)
expect("Weights gain balanced accuracy.", weighed["balanced accuracy"] > alike["balanced accuracy"], more)
expect("Weights give more colourful pictures.", weighed["colourful"] > alike["colourful"], more)
expect(
    "Colours are told better than by who always says the same: more than twice its balanced accuracy.",
    weighed["balanced accuracy"] > 2 * table["balanced accuracy"].iloc[0],
    more,
)
table

# %% [markdown]
# In the error that people would think of first, the mean distance from the true colour, guesses that look at nothing
# are not far behind, since grey is never far off. Balanced accuracy is lower here: it asks for the bin of the mean
# colour at every pixel, not for the likeliest bin.

# %%
from replearn.evaluate.colours import colour_baselines, colour_score, colour_table

scores = colour_baselines(train[np.arange(len(train))].floats().x.numpy(), true.numpy())
scores |= {"predicted": colour_score(predicted.numpy(), true.numpy())}
distances = colour_table(scores)
expect(
    "By mean distance the network is not far ahead of grey: less than a third is gained.",
    distances["rmse"]["predicted"] > 2 / 3 * distances["rmse"]["grey"],
    "It is: these pictures are easy.",
)
expect(
    "It is far ahead by balanced accuracy.",
    distances["balanced_accuracy"]["predicted"] > 2 * distances["balanced_accuracy"]["grey"],
    more,
)
distances

# %% [markdown]
# ## Is what was learned of use?
#
# Categories of emoji, from ten labels each. The network sees the grey alone, when it represents, too; so the rows that
# it should be measured by are the grey pixels, and the same network untrained.

# %%
from replearn.evaluate import few_label_curve
from replearn.views.lab import grey


def judged(rows, rows_of_test):
    """Accuracy with ten labels of each category."""
    given = rows, train.labels, rows_of_test, test.labels
    return few_label_curve(*given, fractions=(), per_class=(10,), draws=2)["mean"][0]


def grey_pixels(samples):
    """One number for each pixel."""
    return grey(samples[np.arange(len(samples))].floats().x)[:, 0].flatten(1).numpy()


untrained = Colorization(**settings).prepare(train)
found = {
    "grey pixels": judged(grey_pixels(train), grey_pixels(test)),
    "untrained network": judged(untrained.transform(train), untrained.transform(test)),
    "colorization": judged(method.transform(train), method.transform(test)),
}
expect(
    "What is learned beats grey pixels.",
    found["colorization"] > found["grey pixels"],
    "Emoji stand in the middle of their pictures, so that a pixel tells much; 382 of them don't settle a point or two.",
)
expect(
    "It beats the same network before training.",
    found["colorization"] > found["untrained network"],
    "1,500 emoji teach a network little that random filters do not give.",
)
pd.Series(found).to_frame("10 labels of each category")

# %% [markdown]
# ## Exercise
#
# A colour is the mean of a distribution that was made sharper. Draw the same emoji with the plain mean ($T = 1$) and
# nearly the likeliest bin ($T = 0.01$). Which is more colourful, which looks worse, and why?

# %% solution
shown = {"true": true[worst].numpy()}
chroma = {}
for value in (1.0, 0.38, 0.01):
    method.set_params(temperature=value)
    drawn = torch.as_tensor(method.colour(test))
    shown[f"T = {value:g}"] = drawn[worst].numpy()
    chroma[value] = float(colour_score(drawn.numpy(), true.numpy()).chroma_ratio)
method.set_params(temperature=temperature)
print(", ".join(f"T = {value:g}: {ratio:.0%} as colourful as the truth" for value, ratio in chroma.items()))
expect("The sharper the distribution, the more colourful.", chroma[1.0] < chroma[0.38] < chroma[0.01])
pictures(shown)

# %% [markdown]
# ## Papers
#
# - Zhang, Isola and Efros, *Colorful image colorization*, [2016](https://arxiv.org/abs/1603.08511)
# - Larsson, Maire and Shakhnarovich, *Colorization as a proxy task for visual understanding*,
#   [2017](https://arxiv.org/abs/1703.04044)
