"""Where samples come from; nothing random, nothing learned."""

from replearn.data.alike import alike, read_alike
from replearn.data.cache import CacheError, cache_folder
from replearn.data.coco import read_coco, write_coco
from replearn.data.content import Content, as_float
from replearn.data.datasets import DATASETS, BuiltIn, load_data
from replearn.data.description import Description, describe, description_from_json
from replearn.data.kinds import Kind, KindWarning
from replearn.data.labels import UNLABELLED
from replearn.data.load import as_samples
from replearn.data.mask_folders import read_masks
from replearn.data.own_targets import targets_of
from replearn.data.pendulum import Swings, pendulum
from replearn.data.samples import ArraySamples, Batch, Samples, Subset
from replearn.data.scene_samples import Scenes
from replearn.data.scenes import make_scenes
from replearn.data.shapes import Shapes, shapes
from replearn.data.splits import split
from replearn.data.targets import Target, Targets, read_targets
from replearn.data.tasks import read_pairs, read_spans, read_tags
from replearn.data.text import Texts, TextSamples
from replearn.data.tokenizer import Tokenizer
from replearn.data.tokenizer_training import train_tokenizer
from replearn.data.tokens import TokenStream, TokenWindows, token_stream
from replearn.data.told import DataWarning
from replearn.data.voc import read_voc

__all__ = [
    "DATASETS",
    "UNLABELLED",
    "ArraySamples",
    "Batch",
    "BuiltIn",
    "CacheError",
    "Content",
    "DataWarning",
    "Description",
    "Kind",
    "KindWarning",
    "Samples",
    "Scenes",
    "Shapes",
    "Subset",
    "Swings",
    "Target",
    "Targets",
    "TextSamples",
    "Texts",
    "TokenStream",
    "TokenWindows",
    "Tokenizer",
    "alike",
    "as_float",
    "as_samples",
    "cache_folder",
    "describe",
    "description_from_json",
    "load_data",
    "make_scenes",
    "pendulum",
    "read_alike",
    "read_coco",
    "read_masks",
    "read_pairs",
    "read_spans",
    "read_tags",
    "read_targets",
    "read_voc",
    "shapes",
    "split",
    "targets_of",
    "token_stream",
    "train_tokenizer",
    "write_coco",
]
