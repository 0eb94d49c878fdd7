"""`replearn export RUN --to FORM`: a model for other programs, checked, with a card."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from replearn.cli.options import parse


@dataclass(kw_only=True)
class ExportOptions:
    """Write the network of RUN for programs without replearn, scaling of its input included.

    What is written is opened again and must answer as RUN does on random samples, up to 1e-4 of the largest number;
    else nothing is written. A card, README.md, tells data, method, scores and licence.

    Attributes:
        run: folder that `fit` or `finetune --task classify` wrote.
        to: `onnx`, any network in one file; `torch`, a program of torch.export; `timm` or `torchvision`, where the
            network is one of theirs; `huggingface`, transformers of texts, as sentence-transformers reads them;
            `openclip`, a CLIP of images and texts, where open_clip has both networks.
        out: new folder; RUN/export-FORM if not given.
        licence: of the weights, for the card.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    to: Literal["onnx", "torch", "timm", "torchvision", "huggingface", "openclip"]
    out: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None
    licence: Annotated[str | None, tyro.conf.arg(metavar="TEXT")] = None


def run(args: list[str]) -> None:
    """The command."""
    options = parse(ExportOptions, args, command="export")
    from replearn.cli.runs import load_run, shown
    from replearn.service import export

    out = Path(options.out or Path(options.run) / f"export-{options.to}")
    if out.exists():
        raise ValueError(f"--out must be a new folder; {out} exists. Delete it, or choose another name.")
    model = load_run(options.run)
    worst = export(model, out, to=options.to, run=options.run, licence=options.licence)
    print(f"{shown(out)}: {', '.join(sorted(file.name for file in out.iterdir()))}")
    print(f"its answers differ from the run's by at most {worst:.1e} of the largest number")
