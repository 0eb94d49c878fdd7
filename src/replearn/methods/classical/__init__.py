"""Classical codes: scikit-learn's own classes under their names, with the same protocol, so without a wrapper."""

from sklearn.cluster import KMeans
from sklearn.decomposition import NMF, PCA, FastICA, MiniBatchDictionaryLearning
from sklearn.manifold import TSNE
from sklearn.neural_network import BernoulliRBM

__all__ = ["NMF", "PCA", "TSNE", "BernoulliRBM", "FastICA", "KMeans", "MiniBatchDictionaryLearning"]

PAPERS = {
    "PCA": (1901, "https://doi.org/10.1080/14786440109462720"),
    "KMeans": (1967, "https://projecteuclid.org/euclid.bsmsp/1200512992"),
    "FastICA": (1999, "https://doi.org/10.1109/72.761722"),
    "NMF": (1999, "https://doi.org/10.1038/44565"),
    "BernoulliRBM": (2002, "https://doi.org/10.1162/089976602760128018"),
    "TSNE": (2008, "https://www.jmlr.org/papers/v9/vandermaaten08a.html"),
    "MiniBatchDictionaryLearning": (2009, "https://doi.org/10.1145/1553374.1553463"),
}
