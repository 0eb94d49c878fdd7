"""replearn: representations from data without labels, by every method of the field, judged honestly.

>>> import replearn
>>> digits = replearn.load_data("digits", split="train")
>>> method = replearn.SimCLR(epochs=1, batch_size=512, encoder="cnn")
>>> method.fit(digits.subset(range(512))).transform(digits.subset(range(3))).shape
(3, 128)
"""

import importlib
import importlib.metadata
from typing import Any

__version__ = importlib.metadata.version("replearn")

# Where each public name lives; modules (and torch) are imported when a name is first used.
_HOMES = {
    "ANIL": "replearn.methods",
    "AlignUniform": "replearn.methods",
    "ArrowOfTime": "replearn.methods",
    "Autoencoder": "replearn.methods",
    "BERT": "replearn.methods",
    "BYOL": "replearn.methods",
    "BagOfVisualWords": "replearn.methods",
    "BarlowTwins": "replearn.methods",
    "BetaTCVAE": "replearn.methods",
    "BetaVAE": "replearn.methods",
    "BiGAN": "replearn.methods",
    "CLIP": "replearn.methods",
    "CMC": "replearn.methods",
    "CPC": "replearn.methods",
    "Colorization": "replearn.methods",
    "ColourTracking": "replearn.methods",
    "Concatenation": "replearn.methods",
    "ContextEncoder": "replearn.methods",
    "ContractiveAutoencoder": "replearn.methods",
    "DINO": "replearn.methods",
    "DeepBelief": "replearn.methods",
    "Detector": "replearn.transfer",
    "DenoisingAutoencoder": "replearn.methods",
    "Distill": "replearn.methods",
    "ELMo": "replearn.methods",
    "Exemplar": "replearn.methods",
    "FixMatch": "replearn.methods",
    "FactorVAE": "replearn.methods",
    "FineTune": "replearn.transfer",
    "FisherVectors": "replearn.methods",
    "Frozen": "replearn.methods",
    "GPT": "replearn.methods",
    "GloVe": "replearn.methods",
    "IBOT": "replearn.methods",
    "GraphMAE": "replearn.methods",
    "ImageGPT": "replearn.methods",
    "IJEPA": "replearn.methods",
    "InstDisc": "replearn.methods",
    "Jigsaw": "replearn.methods",
    "LeJEPA": "replearn.methods",
    "LSTMLanguageModel": "replearn.methods",
    "MeanTeacher": "replearn.methods",
    "Method": "replearn.methods",
    "MoCo": "replearn.methods",
    "MoCoV3": "replearn.methods",
    "Model": "replearn.methods",
    "ModernBERT": "replearn.methods",
    "MultiTask": "replearn.methods",
    "NGram": "replearn.methods",
    "NNCLR": "replearn.methods",
    "PIRL": "replearn.methods",
    "MAE": "replearn.methods",
    "MAML": "replearn.methods",
    "OrderVerification": "replearn.methods",
    "PatchCodes": "replearn.methods",
    "PseudoLabel": "replearn.methods",
    "ProtoNet": "replearn.methods",
    "RBM": "replearn.methods",
    "RelativePatch": "replearn.methods",
    "Reptile": "replearn.methods",
    "RoBERTa": "replearn.methods",
    "Rotation": "replearn.methods",
    "S4L": "replearn.methods",
    "SSLHSIC": "replearn.methods",
    "Segmenter": "replearn.transfer",
    "SimCLR": "replearn.methods",
    "SimCSE": "replearn.methods",
    "SimMIM": "replearn.methods",
    "SimSiam": "replearn.methods",
    "SparseAutoencoder": "replearn.methods",
    "SupCon": "replearn.methods",
    "Supervised": "replearn.methods",
    "SwAV": "replearn.methods",
    "TextVAE": "replearn.methods",
    "UDA": "replearn.methods",
    "VAE": "replearn.methods",
    "VAT": "replearn.methods",
    "VICReg": "replearn.methods",
    "Word2Vec": "replearn.methods",
    "as_samples": "replearn.data",
    "compare": "replearn.comparison",
    "export": "replearn.service",
    "load": "replearn.transfer",
    "load_data": "replearn.data",
    "make_scenes": "replearn.data",
    "make_encoder": "replearn.encoders",
    "registry": "replearn.methods",
    "scorecard": "replearn.evaluate",
    "write_report": "replearn.report",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'replearn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
