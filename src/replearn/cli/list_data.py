"""`replearn data`: the built-in data sets."""

import json
from dataclasses import dataclass

from replearn.cli.options import Flag, parse


@dataclass(kw_only=True)
class DataListOptions:
    """The built-in data sets: samples to train and to test, shape, licence and whom to credit.

    Attributes:
        json: write JSON instead of a table.
    """

    json: Flag = False


def run(args: list[str]) -> None:
    """The command."""
    options = parse(DataListOptions, args, command="data")
    from replearn.data import DATASETS

    if options.json:
        names = ("name", "what", "train", "test", "shape", "classes", "licence", "attribution")
        found = [{name: getattr(data, name) for name in names} for data in DATASETS.values()]
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return
    from rich.table import Table

    from replearn.report.table import wide_console

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for title in ("name", "train", "test", "shape", "classes"):
        table.add_column(
            title, no_wrap=True, justify="right" if title in ("train", "test", "classes") else "left"
        )
    table.add_column("what; licence; credit")
    for data in DATASETS.values():
        table.add_row("")
        told = f"{data.what}\n{data.licence}\n{data.attribution}"
        table.add_row(data.name, *data.facts(), str(data.classes), told)
    wide_console().print(table)
    print("\nA part is named like digits:train. Your own data: a folder or zip of images,")
    print("texts, sounds, videos, recordings (.csv), sequences (.fasta), graphs, games")
    print("meshes (.ply, .obj, .stl, .off, .xyz) or volumes (.nii, .nii.gz, .dcm); such a")
    print("file, or a .txt, .csv, .jsonl, .parquet, .npy or .npz. --kind says what, where")
    print("in doubt.")
    print("Scenes with boxes and masks: replearn finetune RUN scenes --task detect.")
