"""Reconstruction: predict the sample from a code of it."""

from replearn.methods.reconstruction.autoencoder import Autoencoder
from replearn.methods.reconstruction.beta_tcvae import BetaTCVAE
from replearn.methods.reconstruction.beta_vae import BetaVAE
from replearn.methods.reconstruction.bigan import BiGAN
from replearn.methods.reconstruction.contractive_autoencoder import ContractiveAutoencoder
from replearn.methods.reconstruction.deep_belief import DeepBelief
from replearn.methods.reconstruction.denoising_autoencoder import DenoisingAutoencoder
from replearn.methods.reconstruction.factor_vae import FactorVAE
from replearn.methods.reconstruction.rbm import RBM
from replearn.methods.reconstruction.sparse_autoencoder import SparseAutoencoder
from replearn.methods.reconstruction.vae import VAE

__all__ = [
    "RBM",
    "VAE",
    "Autoencoder",
    "BetaTCVAE",
    "BetaVAE",
    "BiGAN",
    "ContractiveAutoencoder",
    "DeepBelief",
    "DenoisingAutoencoder",
    "FactorVAE",
    "SparseAutoencoder",
]
