"""What the stage `data` must know of each kind of samples: one module per kind, found through one registry."""

from replearn.data.kinds.base import PIXELS, ROWS, WORDS, Kind
from replearn.data.kinds.board import Board
from replearn.data.kinds.graph import Graph
from replearn.data.kinds.image import Image
from replearn.data.kinds.node import Node
from replearn.data.kinds.pairs import Pairs
from replearn.data.kinds.points import Points
from replearn.data.kinds.rooms import KindWarning, Rooms
from replearn.data.kinds.sequence import Sequences
from replearn.data.kinds.series import Series
from replearn.data.kinds.sound import Sound
from replearn.data.kinds.table import Table
from replearn.data.kinds.text import Text, Tokens
from replearn.data.kinds.video import Video
from replearn.data.kinds.volume import Volumes

OWN = {
    "image": Image(),
    "table": Table(),
    "text": Text(),
    "tokens": Tokens(),
    "sound": Sound(),
    "series": Series(),
    "sequence": Sequences(),
    "board": Board(),
    "points": Points(),
    "volume": Volumes(),
    "video": Video(),
    "graph": Graph(),
    "node": Node(),
    "pairs": Pairs(),
}
KINDS: Rooms[Kind] = Rooms("data", OWN, nothing=Kind(), taken=OWN)
Pairs.rooms = KINDS

__all__ = [
    "KINDS",
    "OWN",
    "PIXELS",
    "ROWS",
    "WORDS",
    "Board",
    "Kind",
    "KindWarning",
    "Pairs",
    "Points",
    "Rooms",
    "Sequences",
    "Series",
    "Sound",
    "Video",
    "Volumes",
]
