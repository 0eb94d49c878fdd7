"""Which networks read each kind of samples: one module per kind, found through one registry."""

from replearn.data.kinds import KINDS, Rooms
from replearn.encoders.kinds.base import DECODER, ENCODER, PATCHES, Networks, NoSuchNetwork
from replearn.encoders.kinds.board import BoardNetworks
from replearn.encoders.kinds.graph import GraphNetworks, NodeNetworks
from replearn.encoders.kinds.image import ImageNetworks
from replearn.encoders.kinds.pairs import TOWERS, PairNetworks
from replearn.encoders.kinds.points import PointNetworks
from replearn.encoders.kinds.series import SeriesNetworks
from replearn.encoders.kinds.sound import SoundNetworks
from replearn.encoders.kinds.text import TextNetworks
from replearn.encoders.kinds.video import VideoNetworks
from replearn.encoders.kinds.volume import VolumeNetworks

OWN = {
    "image": ImageNetworks(),
    "table": Networks(),
    "text": TextNetworks(),
    "tokens": TextNetworks(),
    "sound": SoundNetworks(),
    "series": SeriesNetworks(),
    "graph": GraphNetworks(),
    "node": NodeNetworks(),
    "sequence": TextNetworks(),
    "board": BoardNetworks(),
    "points": PointNetworks(),
    "volume": VolumeNetworks(),
    "video": VideoNetworks(),
    "pairs": PairNetworks(),
}
NETWORKS: Rooms[Networks] = Rooms("encoders", OWN, nothing=Networks(), taken=KINDS.taken)
PairNetworks.rooms = NETWORKS

__all__ = ["DECODER", "ENCODER", "NETWORKS", "PATCHES", "TOWERS", "Networks", "NoSuchNetwork"]
