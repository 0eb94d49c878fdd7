"""Packages that not every installation has: one way to ask for them, and one line where one is missing."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

# The extra of this package that brings each, by the name it is imported by.
EXTRAS = {
    "aiohttp": "remote",
    "av": "video",
    "chess": "games",
    "fastapi": "serve",
    "lancedb": "serve",
    "nibabel": "medical",
    "numba": "text",
    "onnx": "export",
    "onnxruntime": "export",
    "onnxscript": "export",
    "open_clip": "openclip",
    "psycopg": "postgres",
    "pydicom": "medical",
    "ray": "ray",
    "rdkit": "molecules",
    "sgfmill": "games",
    "soundfile": "audio",
    "tensorboard": "tensorboard",
    "tokenizers": "text",
    "torch_geometric": "graph",
    "torchjd": "torchjd",
    "transformers": "text",
    "trimesh": "points",
    "umap": "umap",
    "uvicorn": "serve",
}


def needed(module: str, what: str, more: str = "") -> Any:
    """A module of a package that not every installation has.

    Args:
        module: `rdkit.Chem`, say, of a package in `EXTRAS`.
        what: needs it, with its verb: "molecules need".
        more: a last sentence of what is said where it is missing.

    Raises:
        ValueError: it is not installed, or can't be imported.

    >>> needed("json", "this needs").loads("1")
    1
    """
    try:
        import_module(module.partition(".")[0])
        return import_module(module)
    except (ImportError, OSError) as error:
        raise missing(module, what, more, error) from error


def check_installed(what: str, *modules: str) -> None:
    """Raises ValueError where a package is not installed; nothing is imported."""
    for module in modules:
        if find_spec(module) is None:
            raise missing(module, what)


def missing(module: str, what: str, more: str = "", error: Exception | None = None) -> ValueError:
    """What to say of a package that is missing."""
    name = module.partition(".")[0]
    extra = EXTRAS[name]
    why = "is not installed"
    if error is not None and not isinstance(error, ModuleNotFoundError):
        why = f"can't be imported ({error})"
    told = f"{what} {name}, which {why}. Run: pip install 'replearn[{extra}]', or in a clone pip install '.[{extra}]'."
    return ValueError(f"{told} {more}".rstrip())
