"""Contrast: agree on views of one sample, disagree on others."""

from replearn.methods.contrastive.align_uniform import AlignUniform
from replearn.methods.contrastive.clip import CLIP
from replearn.methods.contrastive.cmc import CMC
from replearn.methods.contrastive.cpc import CPC
from replearn.methods.contrastive.instdisc import InstDisc
from replearn.methods.contrastive.moco import MoCo
from replearn.methods.contrastive.mocov3 import MoCoV3
from replearn.methods.contrastive.nnclr import NNCLR
from replearn.methods.contrastive.pirl import PIRL
from replearn.methods.contrastive.simclr import SimCLR
from replearn.methods.contrastive.supcon import SupCon

__all__ = [
    "CLIP",
    "CMC",
    "CPC",
    "NNCLR",
    "PIRL",
    "AlignUniform",
    "InstDisc",
    "MoCo",
    "MoCoV3",
    "SimCLR",
    "SupCon",
]
