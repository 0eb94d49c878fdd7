"""Imports go in no circle, counting those inside functions, of annotations, and between a package and what is in it.

The linter holds the order of the stages, and that what lies side by side goes in no circle.
"""

from graphlib import TopologicalSorter

import grimp


def test_no_module_is_imported_by_what_it_imports():
    graph = grimp.build_graph("replearn")
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    TopologicalSorter(imports).prepare()  # names the circle, where there is one
