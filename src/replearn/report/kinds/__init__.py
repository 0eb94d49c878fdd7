"""How each kind of samples is shown: one module per kind, found through one registry."""

from replearn.data.kinds import KINDS, Rooms
from replearn.report.kinds.base import Looks, Shown
from replearn.report.kinds.board import BoardLooks
from replearn.report.kinds.graph import GraphLooks, NodeLooks
from replearn.report.kinds.image import ImageLooks
from replearn.report.kinds.pairs import PairLooks
from replearn.report.kinds.points import PointLooks
from replearn.report.kinds.series import SeriesLooks
from replearn.report.kinds.sound import SoundLooks
from replearn.report.kinds.text import TextLooks
from replearn.report.kinds.video import VideoLooks
from replearn.report.kinds.volume import VolumeLooks

OWN = {
    "image": ImageLooks(),
    "table": Looks(),
    "text": TextLooks(),
    "sound": SoundLooks(),
    "series": SeriesLooks(),
    "graph": GraphLooks(),
    "node": NodeLooks(),
    "sequence": TextLooks(),
    "board": BoardLooks(),
    "points": PointLooks(),
    "volume": VolumeLooks(),
    "video": VideoLooks(),
    "pairs": PairLooks(),
}
LOOKS: Rooms[Looks] = Rooms("report", OWN, nothing=Looks(), taken=KINDS.taken)

__all__ = ["LOOKS", "Looks", "Shown"]
