"""What packages read: their code may raise anything, and what it gives is looked at."""

import warnings
from typing import Any

from replearn.data.asked import Asked, Found
from replearn.data.kinds import KINDS, KindWarning
from replearn.data.reasons import named_reason
from replearn.data.samples import Samples


def claimed(kind: str, data: Any) -> bool:
    """Whether a package's kind claims the data.

    Warns:
        KindWarning: its code failed; the data are read as if it had not claimed them.
    """
    try:
        return bool(KINDS[kind].claims(data))
    except Exception as error:  # whatever their code raises
        told = f"the package of kind {kind} can't tell whether it reads the data and is skipped: {named_reason(error)}"
        warnings.warn(told, KindWarning, stacklevel=2)
        return False


def read_by_package(kind: str, data: Any, asked: Asked) -> Found:
    """The data, as the package of a kind reads them.

    Raises:
        ValueError: it can't, or what it gives is not what `Kind.read` is to give.
    """
    try:
        found = KINDS[kind].read(data, asked)
    except Exception as error:  # whatever their code raises
        raise ValueError(
            f"data of kind {kind} must be as its package reads them; it raised {named_reason(error)}. Correct the "
            "data, or name another kind (kind=)."
        ) from error
    if not (isinstance(found, tuple) and len(found) == 3 and isinstance(found[0], Samples)):
        raise ValueError(
            f"the package of kind {kind} must give (samples, labels, groups); got {type(found).__name__}. Correct read."
        )
    samples, _, groups = found
    if groups is not None and len(groups) != len(samples):
        raise ValueError(
            f"the package of kind {kind} must give a group per sample; got {len(groups):,} for {len(samples):,}. "
            "Correct its read."
        )
    return found
