"""Methods: one file, one class, one paper; the folders are the families."""

from replearn.methods import families  # noqa: F401  # which enlists them
from replearn.methods.base import Method
from replearn.methods.classical import BagOfVisualWords, PatchCodes
from replearn.methods.contrastive import (
    CMC,
    CPC,
    NNCLR,
    PIRL,
    AlignUniform,
    InstDisc,
    MoCo,
    MoCoV3,
    SimCLR,
    SupCon,
)
from replearn.methods.given import Frozen
from replearn.methods.joint_embedding import BYOL, DINO, SSLHSIC, BarlowTwins, LeJEPA, SimSiam, SwAV, VICReg
from replearn.methods.labelled import Supervised
from replearn.methods.language import (
    BERT,
    GPT,
    ELMo,
    GloVe,
    LSTMLanguageModel,
    ModernBERT,
    NGram,
    RoBERTa,
    SimCSE,
    TextVAE,
    Word2Vec,
)
from replearn.methods.load import load
from replearn.methods.masked import IJEPA, MAE, ContextEncoder, ImageGPT, SimMIM
from replearn.methods.model import Model
from replearn.methods.pretext import Colorization, Exemplar, Jigsaw, RelativePatch, Rotation
from replearn.methods.reconstruction import (
    RBM,
    VAE,
    Autoencoder,
    BetaTCVAE,
    BetaVAE,
    BiGAN,
    ContractiveAutoencoder,
    DeepBelief,
    DenoisingAutoencoder,
    FactorVAE,
    SparseAutoencoder,
)
from replearn.methods.registry import Entry, find_method, registry
from replearn.methods.trained import Trained

__all__ = [
    "BERT",
    "BYOL",
    "CMC",
    "CPC",
    "DINO",
    "GPT",
    "IJEPA",
    "MAE",
    "NNCLR",
    "PIRL",
    "RBM",
    "SSLHSIC",
    "VAE",
    "AlignUniform",
    "Autoencoder",
    "BagOfVisualWords",
    "BarlowTwins",
    "BetaTCVAE",
    "BetaVAE",
    "BiGAN",
    "Colorization",
    "ContextEncoder",
    "ContractiveAutoencoder",
    "DeepBelief",
    "DenoisingAutoencoder",
    "ELMo",
    "Entry",
    "Exemplar",
    "FactorVAE",
    "Frozen",
    "GloVe",
    "ImageGPT",
    "InstDisc",
    "Jigsaw",
    "LSTMLanguageModel",
    "LeJEPA",
    "Method",
    "MoCo",
    "MoCoV3",
    "Model",
    "ModernBERT",
    "NGram",
    "PatchCodes",
    "RelativePatch",
    "RoBERTa",
    "Rotation",
    "SimCLR",
    "SimCSE",
    "SimMIM",
    "SimSiam",
    "SparseAutoencoder",
    "SupCon",
    "Supervised",
    "SwAV",
    "TextVAE",
    "Trained",
    "VICReg",
    "Word2Vec",
    "find_method",
    "load",
    "registry",
]
