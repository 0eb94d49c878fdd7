"""What a server counts, as Prometheus reads it; of several workers, the sum over all of them, the dead included."""

import json
import logging
import os
from collections import Counter
from pathlib import Path

log = logging.getLogger("replearn")


class Counts:
    """Numbers that only grow, by series: `replearn_requests_total{path="/embed",status="200"}`.

    Args:
        file: in a folder of all workers, that this one writes its numbers to; None: it is the only one.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self._own: Counter[str] = Counter()
        self._failed = False
        self.write()

    def add(self, series: str, amount: float = 1) -> None:
        """Add to a series."""
        self._own[series] += amount  # type: ignore[assignment]

    def set(self, series: str, amount: float) -> None:
        """Set a series of this worker's own."""
        self._own[series] = amount  # type: ignore[assignment]

    def write(self) -> None:
        """Let other workers know; a worker that is killed has told what it had counted by then."""
        if self.file is None:
            return
        part = self.file.with_suffix(".part")
        try:
            part.write_text(json.dumps(self._own), encoding="utf-8")
            os.replace(part, self.file)
        except OSError as error:
            if not self._failed:
                log.warning("counts of this worker are missing in /metrics of others (%s)", error.strerror)
            self._failed = True

    def text(self) -> str:
        """All series, in the text format of Prometheus."""
        total = Counter(self._own)
        if self.file is not None:
            others = [one for one in self.file.parent.glob("*.json") if one != self.file]
            for one in others:
                total.update(json.loads(one.read_text(encoding="utf-8")))
            total["replearn_worker_starts_total"] = 1 + len(others)
        lines, before = [], ""
        for series, amount in sorted(total.items()):
            name = series.partition("{")[0]
            if name != before:
                lines.append(f"# TYPE {name} counter")
            before = name
            lines.append(f"{series} {amount:.6f}" if isinstance(amount, float) else f"{series} {amount}")
        return "\n".join(lines) + "\n"
