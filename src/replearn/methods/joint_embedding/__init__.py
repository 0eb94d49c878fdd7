"""Joint embedding without negatives: agree on views of one sample, and do not collapse."""

from replearn.methods.joint_embedding.barlow_twins import BarlowTwins
from replearn.methods.joint_embedding.byol import BYOL
from replearn.methods.joint_embedding.dino import DINO
from replearn.methods.joint_embedding.ibot import IBOT
from replearn.methods.joint_embedding.lejepa import LeJEPA
from replearn.methods.joint_embedding.simsiam import SimSiam
from replearn.methods.joint_embedding.ssl_hsic import SSLHSIC
from replearn.methods.joint_embedding.swav import SwAV
from replearn.methods.joint_embedding.vicreg import VICReg

__all__ = ["BYOL", "DINO", "IBOT", "SSLHSIC", "BarlowTwins", "LeJEPA", "SimSiam", "SwAV", "VICReg"]
