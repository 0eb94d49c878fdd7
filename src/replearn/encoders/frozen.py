"""A network that is looked through but does not learn: what one player sees of another's."""

from typing import Any

from torch import nn
from torch.func import functional_call


def frozen(module: nn.Module, *inputs: Any) -> Any:
    """What `module` returns for `inputs`; gradients flow to the inputs, and none to the module's parameters.

    Where two losses have each its own parameters (a generator's and a discriminator's), each sees the other's
    networks so, and one backward pass serves both: the step of simultaneous gradient descent.

    Example:
        >>> import torch
        >>> net, x = nn.Linear(2, 1), torch.ones(1, 2, requires_grad=True)
        >>> frozen(net, x).sum().backward()
        >>> net.weight.grad is None, x.grad is not None
        (True, True)

    References: Goodfellow et al., NeurIPS 2014, Algorithm 1 (whose two steps are taken in turn).
        https://arxiv.org/abs/1406.2661
    """
    parameters = {name: parameter.detach() for name, parameter in module.named_parameters()}
    return functional_call(module, parameters, inputs)
