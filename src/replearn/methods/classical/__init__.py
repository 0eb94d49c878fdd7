"""Classical codes: scikit-learn's own classes where rows of numbers are all they need, and models of images."""

from sklearn.decomposition import NMF, PCA
from sklearn.manifold import TSNE
from sklearn.neural_network import BernoulliRBM

from replearn.methods.classical.fisher_vectors import FisherVectors
from replearn.methods.classical.ica import FastICA
from replearn.methods.classical.kmeans import KMeans, MiniBatchKMeans
from replearn.methods.classical.patch_codes import PatchCodes
from replearn.methods.classical.sparse_coding import MiniBatchDictionaryLearning
from replearn.methods.classical.visual_words import BagOfVisualWords

__all__ = [
    "NMF",
    "PCA",
    "TSNE",
    "BagOfVisualWords",
    "BernoulliRBM",
    "FastICA",
    "FisherVectors",
    "KMeans",
    "MiniBatchDictionaryLearning",
    "MiniBatchKMeans",
    "PatchCodes",
]

PAPERS = {
    "PCA": (1901, "https://doi.org/10.1080/14786440109462720"),
    "KMeans": (1967, "https://projecteuclid.org/euclid.bsmsp/1200512992"),
    "FastICA": (1999, "https://doi.org/10.1109/72.761722"),
    "NMF": (1999, "https://doi.org/10.1038/44565"),
    "BernoulliRBM": (2002, "https://doi.org/10.1162/089976602760128018"),
    "TSNE": (2008, "https://www.jmlr.org/papers/v9/vandermaaten08a.html"),
    "MiniBatchDictionaryLearning": (2009, "https://doi.org/10.1145/1553374.1553463"),
    "MiniBatchKMeans": (2010, "https://doi.org/10.1145/1772690.1772862"),
}
