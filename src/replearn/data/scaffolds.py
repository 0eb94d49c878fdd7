"""Scaffolds of molecules, by rdkit: their rings, and what joins them, without what hangs on."""

from collections.abc import Iterable
from types import ModuleType

from replearn.data.needed import needed


def chemistry() -> ModuleType:
    """rdkit's scaffolds, of a library that says nothing of molecules which it refuses: we do.

    Raises:
        ValueError: it is not installed.
    """
    needed("rdkit.RDLogger", "scaffolds need").DisableLog("rdApp.*")
    found: ModuleType = needed("rdkit.Chem.Scaffolds.MurckoScaffold", "scaffolds need")
    return found


def scaffolds(molecules: Iterable[str]) -> list[str | None]:
    """The scaffold of each molecule, as SMILES; "" of one without rings, None of one that rdkit refuses.

    References: Bemis & Murcko, J. Med. Chem. 1996. https://doi.org/10.1021/jm9602928
    """
    of = chemistry().MurckoScaffoldSmiles
    found: list[str | None] = []
    for smiles in molecules:
        try:
            found.append(of(smiles=smiles))
        except ValueError:
            found.append(None)
    return found
