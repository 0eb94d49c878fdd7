"""lightly's own examples (`examples/pytorch` of its repository), method by method: transform, networks, loss, update.

Widths, prototypes, queue, crops and learning rate are read off the method of ours that an example is measured
beside, so they are the same on both sides. Importing this module needs lightly.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from lightly import loss as losses
from lightly import transforms
from lightly.models import modules
from lightly.models.modules.heads import VICRegProjectionHead
from lightly.models.utils import deactivate_requires_grad, update_momentum
from lightly.utils.scheduler import cosine_schedule
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from turns import Case

from replearn.methods import BYOL, DINO, BarlowTwins, MoCo, SimSiam, SwAV, VICReg

EPOCHS, MOMENTUM = 10, 0.996  # of the examples


@dataclass
class Example:
    """One example.

    Attributes:
        transform: of a PIL image to views.
        optimizer: of the networks that learn.
        loss: of a batch of views, in an epoch.
        spare: what happens to gradients, in an epoch, before the update.
    """

    transform: Callable[[Any], list[Tensor]]
    optimizer: Optimizer
    loss: Callable[[list[Tensor], int], Tensor]
    spare: Callable[[int], None] = lambda epoch: None

    def step(self, views: list[Tensor], epoch: int) -> Tensor:
        """Train on a batch; returns the loss."""
        loss = self.loss(views, epoch)
        loss.backward()
        self.spare(epoch)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.detach()


def moco(case: Case, ours: MoCo) -> Example:
    student = chain(case, modules.MoCoProjectionHead(case.width, ours.hidden, ours.dim))
    teacher = deepcopy(student)
    deactivate_requires_grad(teacher)
    criterion = losses.NTXentLoss(memory_bank_size=(ours.queue, ours.dim))

    def loss(views: list[Tensor], epoch: int) -> Tensor:
        a, b = views
        follow(teacher, student, epoch)
        found: Tensor = criterion(student(a), teacher(b).detach())
        return found

    return Example(transforms.MoCoV2Transform(**pair(case)), sgd(student, ours), loss)


def swav(case: Case, ours: SwAV) -> Example:
    embed = chain(case, modules.SwaVProjectionHead(case.width, ours.hidden, ours.dim))
    prototypes = modules.SwaVPrototypes(ours.dim, n_prototypes=ours.prototypes)
    criterion = losses.SwaVLoss()
    number, side = small_crops(ours)
    transform = transforms.SwaVTransform(
        crop_sizes=(case.side, side), crop_counts=(2, number), gaussian_blur=0.0, **case.normalize
    )

    def loss(views: list[Tensor], epoch: int) -> Tensor:
        prototypes.normalize()
        scores = [prototypes(F.normalize(embed(view), dim=1)) for view in views]
        found: Tensor = criterion(scores[:2], scores[2:])
        return found

    return Example(transform, adam(nn.ModuleList([embed, prototypes]), ours), loss)


def byol(case: Case, ours: BYOL) -> Example:
    student = chain(case, modules.BYOLProjectionHead(case.width, ours.hidden, ours.dim))
    predictor = modules.BYOLPredictionHead(ours.dim, ours.hidden, ours.dim)
    teacher = deepcopy(student)
    deactivate_requires_grad(teacher)
    criterion = losses.NegativeCosineSimilarity()

    def loss(views: list[Tensor], epoch: int) -> Tensor:
        follow(teacher, student, epoch)
        (p_a, z_a), (p_b, z_b) = ((predictor(student(view)), teacher(view).detach()) for view in views)
        found: Tensor = 0.5 * (criterion(p_a, z_b) + criterion(p_b, z_a))
        return found

    return Example(byol_transform(case), sgd(nn.Sequential(student, predictor), ours), loss)


def simsiam(case: Case, ours: SimSiam) -> Example:
    embed = chain(case, modules.SimSiamProjectionHead(case.width, ours.hidden, ours.dim))
    predictor = modules.SimSiamPredictionHead(ours.dim, ours.bottleneck, ours.dim)
    criterion = losses.NegativeCosineSimilarity()

    def loss(views: list[Tensor], epoch: int) -> Tensor:
        z_a, z_b = (embed(view) for view in views)
        p_a, p_b = predictor(z_a), predictor(z_b)
        found: Tensor = 0.5 * (criterion(z_a.detach(), p_b) + criterion(z_b.detach(), p_a))
        return found

    return Example(
        transforms.SimSiamTransform(**pair(case)), sgd(nn.Sequential(embed, predictor), ours), loss
    )


def barlow_twins(case: Case, ours: BarlowTwins) -> Example:
    embed = chain(case, modules.BarlowTwinsProjectionHead(case.width, ours.hidden, ours.dim))
    return Example(byol_transform(case), sgd(embed, ours), of_two(embed, losses.BarlowTwinsLoss()))


def vicreg(case: Case, ours: VICReg) -> Example:
    embed = chain(case, VICRegProjectionHead(case.width, ours.hidden, ours.dim))
    transform = transforms.VICRegTransform(**pair(case))
    return Example(transform, sgd(embed, ours), of_two(embed, losses.VICRegLoss()))


def dino(case: Case, ours: DINO) -> Example:
    widths = case.width, ours.hidden, ours.dim, ours.prototypes
    head = modules.DINOProjectionHead(*widths, freeze_last_layer=1)
    student, teacher = chain(case, head), chain(case, modules.DINOProjectionHead(*widths))
    deactivate_requires_grad(teacher)
    criterion = losses.DINOLoss(output_dim=ours.prototypes, warmup_teacher_temp_epochs=5)
    number, side = small_crops(ours)
    transform = transforms.DINOTransform(
        global_crop_size=case.side,
        local_crop_size=side,
        n_local_views=number,
        gaussian_blur=(0.0, 0.0, 0.0),
        **case.normalize,
    )

    def loss(views: list[Tensor], epoch: int) -> Tensor:
        follow(teacher, student, epoch)
        targets = [teacher(view) for view in views[:2]]
        found: Tensor = criterion(targets, [student(view) for view in views], epoch=epoch)
        return found

    return Example(transform, adam(student, ours), loss, spare=head.cancel_last_layer_gradients)


EXAMPLES: dict[type, Callable[[Case, Any], Example]] = {
    MoCo: moco,
    SwAV: swav,
    BYOL: byol,
    SimSiam: simsiam,
    BarlowTwins: barlow_twins,
    VICReg: vicreg,
    DINO: dino,
}


def chain(case: Case, head: nn.Module) -> nn.Sequential:
    """A copy of the encoder, and the head on it."""
    return nn.Sequential(deepcopy(case.encoder), nn.Flatten(), head).train()


def follow(teacher: nn.Module, student: nn.Module, epoch: int) -> None:
    """The teacher's update, its momentum on the examples' schedule."""
    update_momentum(student, teacher, m=cosine_schedule(epoch, EPOCHS, MOMENTUM, 1))


def of_two(
    embed: nn.Module, criterion: Callable[[Tensor, Tensor], Tensor]
) -> Callable[[list[Tensor], int], Tensor]:
    """The loss of two views' embeddings."""
    return lambda views, epoch: criterion(embed(views[0]), embed(views[1]))


def sgd(learns: nn.Module, ours: Any) -> Optimizer:
    return torch.optim.SGD(learns.parameters(), lr=ours.learning_rate)


def adam(learns: nn.Module, ours: Any) -> Optimizer:
    return torch.optim.Adam(learns.parameters(), lr=ours.learning_rate)


def pair(case: Case) -> dict[str, Any]:
    """Settings of a transform that makes two views, without blur, as in the examples on small images."""
    return {"input_size": case.side, "gaussian_blur": 0.0, **case.normalize}


def byol_transform(case: Case) -> Callable[[Any], list[Tensor]]:
    """Its two views differ by a solarization."""
    a, b = transforms.BYOLView1Transform(**pair(case)), transforms.BYOLView2Transform(**pair(case))
    return transforms.BYOLTransform(view_1_transform=a, view_2_transform=b)


def small_crops(ours: Any) -> tuple[int, int]:
    """How many small crops our views have, and the pixels of their side."""
    crop = ours.views.small.views[0]
    return ours.views.n_small, crop.size[0]
