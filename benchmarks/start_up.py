"""How long until the command line answers, and until `import replearn` is done?"""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from record import Part, Setting, span

IMPORT, HELP = 0.3, 0.5  # seconds


def measure(setting: Setting) -> Part:
    """Wall clock of whole processes, from start to end."""
    times = 1 if setting.quick else 5
    command = str(Path(sys.executable).with_name("replearn"))
    runs = {
        "python -c pass (for comparison)": ([sys.executable, "-c", "pass"], None),
        "python -c 'import replearn'": ([sys.executable, "-c", "import replearn"], IMPORT),
        "replearn --help": ([command, "--help"], HELP),
    }
    part = Part(
        title="Start",
        goal=f"`import replearn` within {IMPORT} s and `replearn --help` within {HELP} s",
        notes=[
            f"Wall clock of the whole process, Python's own start included; median of {times} after one "
            "to warm up."
        ],
    )
    for name, (arguments, limit) in runs.items():
        try:
            seconds = [_seconds(arguments) for _ in range(times + 1)][1:]
        except (OSError, subprocess.CalledProcessError) as error:
            part.notes.append(f"Skipped: {name} cannot be run ({type(error).__name__}).")
            continue
        part.rows.append(
            {"command": name, "seconds": median(seconds), "middle half": span(seconds), "limit": limit}
        )
    part.met = len(part.rows) == len(runs) and all(row["seconds"] <= (row["limit"] or 9) for row in part.rows)
    return part


def _seconds(arguments: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(arguments, check=True, capture_output=True)
    return time.perf_counter() - began
