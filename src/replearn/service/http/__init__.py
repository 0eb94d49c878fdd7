"""A model behind HTTP: representations, neighbours and classes, asked for by JSON."""

from replearn.service.http.app import Limits, make_app
from replearn.service.http.model import Served

__all__ = ["Limits", "Served", "make_app"]
