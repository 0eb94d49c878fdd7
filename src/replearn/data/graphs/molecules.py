"""Molecules as graphs, of SMILES, by rdkit: atoms are nodes, bonds are edges."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from replearn.data.graphs.reading import Read, refusal
from replearn.data.needed import needed
from replearn.data.progress import progress

COLUMN = "smiles"  # that holds them, unless another is named
ELEMENTS = ("C", "N", "O", "S", "F", "Cl", "Br", "I", "P", "B", "Si")
ATOM = (*ELEMENTS, "other", "charge", "hydrogens", "degree", "aromatic", "in a ring")
BOND = ("single", "double", "triple", "aromatic", "conjugated", "in a ring")


def of_smiles(smiles: Sequence[Any], names: Sequence[str]) -> Iterator[Read]:
    """A graph per SMILES; hydrogen atoms are counted at the atoms that hold them.

    Raises:
        ValueError: rdkit is not installed.
    """
    Chem = needed("rdkit.Chem", "molecules need")
    with quiet(), progress("reading molecules", len(smiles)) as advance:
        for name, text in zip(names, smiles, strict=True):
            advance(1)
            written = isinstance(text, str) and text.strip()
            molecule = Chem.MolFromSmiles(text.strip()) if written else None
            if molecule is None:
                yield refusal(
                    name, f"is no molecule that rdkit reads ({text!r:.40})" if written else "has no SMILES"
                )
            else:
                yield _graph(name, molecule)


def _graph(name: str, molecule: Any) -> Read:
    nodes = np.zeros((molecule.GetNumAtoms(), len(ATOM)), np.float32)
    first = len(ELEMENTS) + 1
    for place, atom in enumerate(molecule.GetAtoms()):
        symbol = atom.GetSymbol()
        nodes[place, ELEMENTS.index(symbol) if symbol in ELEMENTS else len(ELEMENTS)] = 1
        nodes[place, first:] = (
            *(atom.GetFormalCharge(), atom.GetTotalNumHs(), atom.GetDegree()),
            *(atom.GetIsAromatic(), atom.IsInRing()),
        )
    bonds = list(molecule.GetBonds())
    ends = np.array([(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in bonds], np.int64).reshape(
        -1, 2
    )
    marks = np.zeros((len(bonds), len(BOND)), np.float32)
    for place, bond in enumerate(bonds):
        kind = {1.0: 0, 2.0: 1, 3.0: 2, 1.5: 3}.get(bond.GetBondTypeAsDouble())
        if kind is not None:
            marks[place, kind] = 1
        marks[place, 4:] = bond.GetIsConjugated(), bond.IsInRing()
    edges = np.stack([ends, ends[:, ::-1]], axis=1).reshape(-1, 2).T  # both ways, side by side
    return Read(name, nodes, edges, np.repeat(marks, 2, axis=0))


@contextmanager
def quiet() -> Iterator[None]:
    """While entered, rdkit does not print what it refuses: it is counted and named here."""
    from rdkit import RDLogger

    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    try:
        yield
    finally:
        RDLogger.EnableLog("rdApp.*")  # type: ignore[attr-defined]
