"""A fitted model for other programs: one module, several forms, checked, with a card."""

from replearn.service.exports.exported import Exported, Input, exported_from
from replearn.service.exports.forms import FORMS, Form
from replearn.service.exports.writing import TOLERANCE, export

__all__ = ["FORMS", "TOLERANCE", "Exported", "Form", "Input", "export", "exported_from"]
