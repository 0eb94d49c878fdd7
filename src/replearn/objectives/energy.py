"""Energies: a model gives low energy to what it holds for likely, data it should."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.objectives.precision import full_precision


def free_energy(visible: Float[Tensor, "n d"], inputs: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
    """Free energy of each state v of a restricted Boltzmann machine: `p(v) = exp(-F(v)) / Z`.

        F(v) = -Σ_i b_i v_i - Σ_j ln(1 + exp(c_j + W_j·v))

    It is minus the log of `exp(b·v + c·h + h·W v)` summed over all 2^k states of the hidden units h.

    Args:
        visible: `b_i v_i` of each visible unit.
        inputs: `c_j + W_j·v` of each hidden unit.

    Example:
        >>> import torch
        >>> free_energy(torch.zeros(1, 3), torch.zeros(1, 2)).neg().exp().round().tolist()
        [4.0]

    References:
        Hinton, "A practical guide to training restricted Boltzmann machines", 2012, section 16.1.
        https://www.cs.toronto.edu/~hinton/absps/guideTR.pdf
    """
    return -visible.sum(1) - F.softplus(inputs).sum(1)


@full_precision
def contrastive_divergence(
    visible: Float[Tensor, "n d"],
    inputs: Float[Tensor, "n k"],
    model_visible: Float[Tensor, "m d"],
    model_inputs: Float[Tensor, "m k"],
) -> Float[Tensor, ""]:
    r"""Mean free energy of data less that of states drawn from the model.

        loss = 1/n Σ_i F(v_i) - 1/m Σ_i F(u_i)

    With states `u` held still its gradient by a weight is `<v h>` of the model less `<v h>` of the data, each `h` at
    its mean given `v`: the negative log-likelihood's, where the `u` are samples of the model (chains that go on from
    step to step come near them; chains that start at the data anew give contrastive divergence). Its value tells
    little: it is 0 where data and model agree, and at collapse of both to one state. Hidden units without input
    (all of theirs are 0) cancel, and leave the difference of the visible sums.

    Args:
        visible, inputs: of the data, as in `free_energy`; row `i` is one sample.
        model_visible, model_inputs: of the model's states.

    Raises:
        ValueError: data and model have other numbers of units, or no rows.

    Example:
        >>> import torch
        >>> off, on = torch.zeros(2, 3), torch.ones(2, 3)
        >>> contrastive_divergence(off, off, on, off).item()
        3.0

    References:
        Hinton, "Training products of experts by minimizing contrastive divergence", Neural Computation 2002,
        section 3. https://doi.org/10.1162/089976602760128018
        Tieleman, "Training restricted Boltzmann machines using approximations to the likelihood gradient", ICML 2008.
        https://www.cs.toronto.edu/~tijmen/pcd/pcd.pdf
    """
    shapes = [tuple(part.shape) for part in (visible, inputs, model_visible, model_inputs)]
    rows = len(visible) == len(inputs) and len(model_visible) == len(model_inputs)
    columns = shapes[0][1:] == shapes[2][1:] and shapes[1][1:] == shapes[3][1:]
    if not rows or not columns or not len(visible) or not len(model_visible):
        raise ValueError(
            "contrastive_divergence needs data and states of the same units, at least one of each; "
            f"got visible, inputs, model_visible and model_inputs of {', '.join(map(str, shapes))}."
        )
    return free_energy(visible, inputs).mean() - free_energy(model_visible, model_inputs).mean()
