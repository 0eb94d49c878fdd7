# %% [markdown]
# # SimCLR: two views of one picture
#
# Draw two distorted views of each picture. A network must tell which two belong together among all views of the
# batch. To do so it has to ignore how a picture was distorted, and keep what it shows.
#
# Of $2n$ views $z$ of $n$ pictures, scaled to length 1, each view $i$ must find its partner $j$ among all the others,
# with a temperature $\tau$:
#
# $$\ell_{ij} = -\log \dfrac{\exp(z_i \cdot z_j / \tau)}{\sum_{k \neq i} \exp(z_i \cdot z_k / \tau)}$$

# %%
epochs = 8  # passes over the digits [1 to 200; small 1; full 40]
images = 2000  # digits to learn from [200 to 8000; small 200; full 8000]
temperature = 0.2  # of the softmax over similarities [0.02 to 2]
batch_size = 64  # pictures in a batch, each with two views [8 to 512]
tested = 2000  # pictures of the test part to judge by [200 to 2000; small 200]
seed = 0  # of all that is drawn [0 to 1000]

# %% [markdown]
# ## The grid of augmentations
#
# Which distortions should a representation ignore? That is the one thing that SimCLR is told. Here are operators of
# the paper, each drawn five times for one picture, and what the default views make of them together.

# %%
import numpy as np
import torch

from replearn import load_data
from replearn.lectures import chart, expect, pictures
from replearn.views import Blur, Colour, Crop, Cutout, Flip, Grey, Noise, Rotate, Sobel, default_views

torch.manual_seed(seed)
emoji = load_data("emoji", split="train")
one = emoji[np.array([300] * 5)]
operators = {
    "as it is": lambda batch: batch,
    "crop and resize": Crop(0.2, 1),
    "flip": Flip(),
    "colour jitter": Colour(0.5),
    "colour drop": Grey(1.0),
    "rotate": Rotate(90),
    "cutout": Cutout(),
    "noise": Noise(0.1),
    "blur": Blur(),
    "Sobel": Sobel(),
}
rows = {name: view(one).floats().x.numpy() for name, view in operators.items()}
rows = {name: np.broadcast_to(images_, (5, 3, 32, 32)) for name, images_ in rows.items()}
rows["all, first view"], rows["all, second view"] = (
    view.floats().x.numpy() for view in default_views(emoji)(one)
)
pictures(rows)

# %% [markdown]
# ## Algorithm 1, step by step
#
# The algorithm of the paper beside the lines that do it here. In the library these lines are `SimCLR.loss`, in a file
# of one page.
#
# 1. draw a batch of $n$ pictures
# 2. draw two views of each
# 3. encode, $h = f(x)$, and project, $z = g(h)$
# 4. similarities of all pairs of $z$, divided by $\tau$
# 5. the loss: cross-entropy of each view's partner among the others
# 6. a step against the gradient. At the end, throw $g$ away and keep $f$

# %%
from replearn.encoders import make_encoder, mlp
from replearn.objectives import nt_xent

digits = load_data("digits", split="train").subset(range(images))
test = load_data("digits", split="test").subset(range(tested))
torch.manual_seed(seed)
encoder = make_encoder("resnet_tiny", digits)
head = mlp(encoder.dim, 128, 64)

batch = digits[np.arange(batch_size)]  # 1
a, b = default_views(digits)(batch)  # 2
z = torch.nn.functional.normalize(torch.cat([head(encoder(view)) for view in (a, b)]), dim=1)  # 3: (2n, d)
similar = z @ z.T / temperature  # 4: (2n, 2n)
similar.fill_diagonal_(-torch.inf)  # a view is not its own partner
partner = torch.arange(2 * batch_size).roll(batch_size)  # i's is i + n, and back
loss = torch.nn.functional.cross_entropy(similar, partner)  # 5

ours = nt_xent(*z.chunk(2), temperature=temperature)
print(f"loss by hand {loss:.6f}, by replearn.objectives.nt_xent {ours:.6f}")
print(f"loss of who guesses among the {2 * batch_size - 1} others: {np.log(2 * batch_size - 1):.3f}")
expect("Both are the same number.", bool(torch.isclose(loss, ours, atol=1e-4)))

# %% [markdown]
# ## Training
#
# Step 6, many times, is `fit`. The run keeps its loss.

# %%
from replearn import SimCLR

settings = {
    "encoder": "resnet_tiny",
    "batch_size": batch_size,
    "temperature": temperature,
    "random_state": seed,
}
simclr = SimCLR(**settings, epochs=epochs).fit(digits)
history = [row for row in simclr.history_.rows if np.isfinite(row.get("loss", np.nan))]
more = "Learn for longer: --epochs 40."
expect("The loss falls.", history[-1]["loss"] < history[0]["loss"], more)
chart(
    [row["step"] for row in history],
    {"loss": [row["loss"] for row in history]},
    x_label="step",
    y_label="loss",
)

# %% [markdown]
# ## What was learned
#
# Labels come in only now, to judge. Ten of each class train a linear classifier; the test part is classified.

# %%
import pandas as pd

from replearn.evaluate import few_label_curve, knn_probe


def judged(rows, rows_of_test):
    """Accuracy of a linear classifier with ten labels of each class, and of the nearest neighbours with all."""
    given = rows, digits.labels, rows_of_test, test.labels
    few = few_label_curve(*given, fractions=(), per_class=(10,), draws=3)["mean"][0]
    return {"10 labels of each class": few, "neighbours": knn_probe(*given)}


untrained = SimCLR(**settings).prepare(digits)
h, h_test = simclr.transform(digits), simclr.transform(test)
with torch.inference_mode():  # what is thrown away: z = g(h)
    z, z_test = (simclr.embed(torch.as_tensor(rows)).numpy() for rows in (h, h_test))
table = pd.DataFrame(
    {
        "raw pixels": judged(digits.flat(), test.flat()),
        "untrained network": judged(untrained.transform(digits), untrained.transform(test)),
        "SimCLR, z (thrown away)": judged(z, z_test),
        "SimCLR, h": judged(h, h_test),
    }
).T
linear = table["10 labels of each class"]
expect("What is learned beats raw pixels.", linear["SimCLR, h"] > linear["raw pixels"], more)
expect("It beats the same network before training.", linear["SimCLR, h"] > linear["untrained network"], more)
why = "On digits the two are close, and chance decides; of photographs the paper found ten points and more."
expect(
    "h, before the head, is better than z, behind it.",
    linear["SimCLR, h"] > linear["SimCLR, z (thrown away)"],
    why,
)
table

# %% [markdown]
# ## Exercise
#
# The views say what is to be ignored. If a view may be turned by any angle, which digits can no longer be told apart?
# Train with turns of up to 180°, and look at the pairs that the neighbours confuse.

# %% solution
from replearn.evaluate import nearest
from replearn.views import Chain, Pair

turned = SimCLR(**settings, epochs=epochs, views=Pair(Chain(Crop(0.4, 1), Rotate(180)))).fit(digits)


def confused(method):
    """Test sixes and nines whose nearest digit to learn from is the other one, as a share of them."""
    some = np.flatnonzero(np.isin(test.labels, (6, 9)))
    index, _ = nearest(method.transform(test)[some], method.transform(digits), k=1)
    return float((digits.labels[index[:, 0]] == 15 - test.labels[some]).mean())


usual, any_way = confused(simclr), confused(turned)
print(f"6 taken for 9 or 9 for 6: {usual:.1%} with the usual views, {any_way:.1%} with turned ones")
expect("Who must ignore how a digit is turned takes more sixes for nines.", any_way > usual, more)

# %% [markdown]
# ## Papers
#
# - SimCLR: Chen, Kornblith, Norouzi and Hinton, *A simple framework for contrastive learning of visual
#   representations*, [2020](https://arxiv.org/abs/2002.05709)
