"""How a batch is split into what is seen and what is to be predicted; all randomness of data."""

from replearn.views.base import Split, View, alike, chance, normal, uniform, uniform_of_elements
from replearn.views.colour import Brightness, Colour, Contrast, Grey, Hue, Saturation
from replearn.views.compose import Chain, Maybe, MultiCrop, Pair, Same
from replearn.views.defaults import default_views, named_views
from replearn.views.filters import Blur, Cutout, Noise, Sobel, Solarize, Stroke
from replearn.views.geometry import (
    Crop,
    Elastic,
    Flip,
    Resize,
    Rotate,
    Scale,
    Shear,
    Shift,
    VerticalFlip,
)
from replearn.views.graphs import DropEdges, DropNodes, MaskFeatures, MaskNodes, OneOf, RewireEdges, Subgraph
from replearn.views.grey_of import GreyOf
from replearn.views.groups import Groups
from replearn.views.guards import ChannelJitter, Coarse, DropChannels
from replearn.views.hidden import Hidden
from replearn.views.jigsaw import Jigsaw
from replearn.views.noise import Masking, SaltAndPepper
from replearn.views.parts import Grid
from replearn.views.randaugment import RandAugment
from replearn.views.replace_words import ReplaceWords
from replearn.views.rotations import Rotations
from replearn.views.salient import Salient
from replearn.views.store import split_to_json, view_from_json, view_to_json
from replearn.views.table import FeatureDrop, Jitter, Swap
from replearn.views.text import DropWords, Span
from replearn.views.tiles import Tiles

__all__ = [
    "Blur",
    "Brightness",
    "Chain",
    "ChannelJitter",
    "Coarse",
    "Colour",
    "Contrast",
    "Crop",
    "Cutout",
    "DropChannels",
    "DropEdges",
    "DropNodes",
    "DropWords",
    "Elastic",
    "FeatureDrop",
    "Flip",
    "Grey",
    "GreyOf",
    "Grid",
    "Groups",
    "Hidden",
    "Hue",
    "Jigsaw",
    "Jitter",
    "MaskFeatures",
    "MaskNodes",
    "Masking",
    "Maybe",
    "MultiCrop",
    "Noise",
    "OneOf",
    "Pair",
    "RandAugment",
    "ReplaceWords",
    "Resize",
    "RewireEdges",
    "Rotate",
    "Rotations",
    "Salient",
    "SaltAndPepper",
    "Same",
    "Saturation",
    "Scale",
    "Shear",
    "Shift",
    "Sobel",
    "Solarize",
    "Span",
    "Split",
    "Stroke",
    "Subgraph",
    "Swap",
    "Tiles",
    "VerticalFlip",
    "View",
    "alike",
    "chance",
    "default_views",
    "named_views",
    "normal",
    "split_to_json",
    "uniform",
    "uniform_of_elements",
    "view_from_json",
    "view_to_json",
]
