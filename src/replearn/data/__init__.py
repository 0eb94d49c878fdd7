"""Where samples come from; nothing random, nothing learned."""

from replearn.data.cache import CacheError, cache_folder
from replearn.data.datasets import DATASETS, BuiltIn, load_data
from replearn.data.description import Description, describe, description_from_json
from replearn.data.folder import DataWarning
from replearn.data.load import as_samples
from replearn.data.samples import UNLABELLED, ArraySamples, Batch, Samples, Subset, as_float
from replearn.data.shapes import Shapes, shapes
from replearn.data.splits import split

__all__ = [
    "DATASETS",
    "UNLABELLED",
    "ArraySamples",
    "Batch",
    "BuiltIn",
    "CacheError",
    "DataWarning",
    "Description",
    "Samples",
    "Shapes",
    "Subset",
    "as_float",
    "as_samples",
    "cache_folder",
    "describe",
    "description_from_json",
    "load_data",
    "shapes",
    "split",
]
