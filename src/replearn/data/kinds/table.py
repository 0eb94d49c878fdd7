"""Tables: rows of numbers, whose columns have units of their own."""

from typing import ClassVar

from replearn.data.kinds.base import Kind


class Table(Kind):
    """Rows `(d,)` of numbers."""

    plural: ClassVar[str] = "tables"
    scaled: ClassVar[bool] = True
