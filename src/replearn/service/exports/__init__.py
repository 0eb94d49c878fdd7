"""A fitted model for other programs: one module, several forms, checked, with a card."""

from replearn.service.exports.exported import Exported, TensorSpec, exported_from
from replearn.service.exports.forms import FORMS, Form
from replearn.service.exports.writing import TOLERANCE, export

__all__ = ["FORMS", "TOLERANCE", "Exported", "Form", "TensorSpec", "export", "exported_from"]
