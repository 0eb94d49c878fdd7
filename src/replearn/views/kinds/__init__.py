"""How each kind of samples is seen: one module per kind, found through one registry."""

from replearn.data.kinds import KINDS, Rooms
from replearn.views.kinds.base import Like, Views
from replearn.views.kinds.board import BoardViews
from replearn.views.kinds.graph import GraphViews, NodeViews
from replearn.views.kinds.image import ImageViews
from replearn.views.kinds.pairs import PairViews
from replearn.views.kinds.points import PointViews
from replearn.views.kinds.sequence import SequenceViews
from replearn.views.kinds.series import SeriesViews
from replearn.views.kinds.sound import SoundViews
from replearn.views.kinds.table import TableViews
from replearn.views.kinds.text import TextViews
from replearn.views.kinds.video import VideoViews
from replearn.views.kinds.volume import VolumeViews

OWN = {
    "image": ImageViews(),
    "table": TableViews(),
    "text": TextViews(),
    "sound": SoundViews(),
    "series": SeriesViews(),
    "graph": GraphViews(),
    "node": NodeViews(),
    "sequence": SequenceViews(),
    "board": BoardViews(),
    "points": PointViews(),
    "volume": VolumeViews(),
    "video": VideoViews(),
    "pairs": PairViews(),
}
VIEWS: Rooms[Views] = Rooms("views", OWN, nothing=Views(), taken=KINDS.taken)
PairViews.rooms = VIEWS

__all__ = ["OWN", "VIEWS", "Like", "Views"]
