"""SIGReg: embeddings are distributed as a standard normal, tested along random directions."""

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.objectives.precision import full_precision

LAST = 5.0  # beyond it the window leaves less than 4e-6


@full_precision
def sigreg(x: Float[Tensor, "n m"], *, knots: int = 9) -> Float[Tensor, ""]:
    r"""How far numbers are from a standard normal, by the test of Epps and Pulley, mean over columns.

    With the characteristic function `f_j(t) = 1/n Σ_i exp(i t x_ij)` of each of `m` columns and that of the standard
    normal, `g(t) = exp(-t²/2)`, which is the window, too:

        loss = 1/m Σ_j n ∫ |f_j(t) - g(t)|² g(t) dt

    by the trapezoidal rule from -5 to 5. The integrand is even, so that half of the knots do. If all marginals are
    standard normal, so are the rows (Cramér and Wold); columns are rows of embeddings along random directions, drawn
    anew at each step (`directions`), since none stays untested for long.

    Changing the sign of a column changes nothing. When all numbers are 0 (collapse) it is n √(2π) (1 - √2 + 1/√3) =
    0.41 n; of numbers that are normal it is √(2π) (1 - 1/√3) = 1.06 on average, whatever n.

    Args:
        x: embeddings along each of m directions.
        knots: of the integral, from 0 to 5; 9 of them are the paper's 17 from -5 to 5.

    Raises:
        ValueError: there is no sample, no direction, or fewer than two knots.

    Example:
        >>> round(sigreg(torch.zeros(100, 3)).item(), 1)
        40.9

    References:
        Balestriero and LeCun, "LeJEPA: provable and scalable self-supervised learning without the heuristics",
        2025, section 4 and Algorithm 1. https://arxiv.org/abs/2511.08544
        Epps and Pulley, Biometrika 1983.
    """
    if x.numel() == 0 or knots < 2:
        raise ValueError(
            f"sigreg needs at least one sample and direction, and knots >= 2; got {tuple(x.shape)} and {knots}."
        )
    t = torch.linspace(0.0, LAST, knots, dtype=x.dtype, device=x.device)
    normal = (-0.5 * t.square()).exp()  # (k,)
    angles = x[:, :, None] * t  # (n, m, k)
    real, imaginary = angles.cos().mean(0), angles.sin().mean(0)  # (m, k)
    distance = ((real - normal).square() + imaginary.square()) * normal
    found: Tensor = 2 * len(x) * torch.trapezoid(distance, t, dim=1).mean()
    return found


def directions(z: Float[Tensor, "n d"], number: int) -> Float[Tensor, "d m"]:
    """Random unit vectors, as columns, from the global generator: all processes of a step draw the same."""
    drawn = torch.randn(
        z.shape[1], number, device=z.device, dtype=torch.promote_types(z.dtype, torch.float32)
    )
    found: Tensor = drawn / drawn.norm(dim=0)
    return found
