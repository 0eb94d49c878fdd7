"""All objectives, each with inputs, the paper's equation as slow loops, and its value at collapse.

A new objective is listed in a file of cases here; the contract tests and the tests on two processes then hold for it.
"""

import cases_basic
from objective_case import Case

CASES = [*cases_basic.CASES]

__all__ = ["CASES", "Case"]
