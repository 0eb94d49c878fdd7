"""A page to look at a representation by: a map of samples, their neighbours, and labels by clicking."""

from replearn.service.explore.app import make_app
from replearn.service.explore.explored import Beside, Colour, Explored
from replearn.service.explore.labelling import LabelFile
from replearn.service.explore.places import Places, place

__all__ = ["Beside", "Colour", "Explored", "LabelFile", "Places", "make_app", "place"]
