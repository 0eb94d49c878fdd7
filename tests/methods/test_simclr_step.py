"""Following one step of SimCLR takes few lines of our own; they are listed by `pytest -s`."""

import inspect
import sys
from pathlib import Path

import numpy as np

import replearn

HOME = str(Path(replearn.__file__).parent)


def test_one_step_crosses_at_most_500_lines_of_ours(capsys):
    samples = replearn.load_data("digits", split="train").subset(np.arange(64))
    method = replearn.SimCLR(batch_size=64, epochs=1, device="cpu")
    crossed = {}

    def trace(frame, event, arg):
        code = frame.f_code
        if code.co_filename.startswith(HOME) and code.co_name != "<module>":
            crossed[code] = frame.f_globals["__name__"]

    method.prepare(samples)  # what happens before training is not part of a step
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        method.loss(samples[np.arange(64)].part_of(64, start=0)).backward()
        method.after_step(0.0)
    finally:
        sys.settrace(before)
    outer = [code for code in crossed if "<" not in code.co_name]  # comprehensions lie inside of functions
    lines = {code: len(_code_lines(code)) for code in outer}
    for code, number in sorted(lines.items(), key=lambda pair: crossed[pair[0]]):
        print(f"{number:4d} {crossed[code]}.{code.co_qualname}")
    print(f"{sum(lines.values()):4d} lines in {len(lines)} functions")
    assert "replearn.objectives.contrast" in crossed.values()
    assert 0 < sum(lines.values()) <= 500


def _code_lines(code):
    """The lines of a function that are code: no docstring, no comment, no blank line."""
    source = inspect.getsource(code).splitlines()
    kept = {line - code.co_firstlineno for _, _, line in code.co_lines() if line}
    return [text for number, text in enumerate(source) if number in kept]
