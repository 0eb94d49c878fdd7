"""A fitted model put to use: exported for other programs, searched by."""

from replearn.service.exports import FORMS, export

__all__ = ["FORMS", "export"]
