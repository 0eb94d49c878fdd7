"""Scaffolds of molecules, by rdkit: their rings, and what joins them, without what hangs on."""

from collections.abc import Iterable
from typing import Any


def chemistry() -> Any:
    """The package rdkit, which then says nothing of molecules that it refuses: we do.

    Raises:
        ValueError: it is not installed.
    """
    try:
        from rdkit import Chem, RDLogger
    except ImportError as error:
        raise ValueError(
            "scaffolds need a package that is not installed, rdkit. Run: pip install 'replearn[molecules]'"
        ) from error
    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    return Chem


def scaffolds(molecules: Iterable[str]) -> list[str | None]:
    """The scaffold of each molecule, as SMILES; "" of one without rings, None of one that rdkit refuses.

    References: Bemis & Murcko, J. Med. Chem. 1996. https://doi.org/10.1021/jm9602928
    """
    chemistry()
    from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles

    found: list[str | None] = []
    for smiles in molecules:
        try:
            found.append(MurckoScaffoldSmiles(smiles=smiles))  # type: ignore[no-untyped-call]
        except ValueError:
            found.append(None)
    return found
