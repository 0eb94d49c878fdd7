"""What a core does in a second of each thing that `replearn embed` does, for plans of more rows than were ever tried.

    python benchmarks/pieces.py [--quick]

Seconds are of the processor, so that other work on the machine matters little; one thread. Rows are of 32 numbers in a
Parquet file, images of 96 x 96 in colour, JPEGs in a tar. Networks are untrained: what they learned costs no time.
"""

import argparse
import io
import json
import os
import tarfile
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1"}

import numpy as np
import pandas as pd
from PIL import Image
from record import machine, table

RESULTS = Path(__file__).parent / "results" / "pieces.json"
COLUMNS, SIDE = 32, 96


def main() -> None:
    """Measure, and write the results."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--quick", action="store_true")
    quick = asked.parse_args().quick
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["REPLEARN_CACHE"] = "cache"
        found = {
            "rows": of_rows(2_000 if quick else 200_000),
            "images": of_images(20 if quick else 2_000, 8 if quick else 128),
        }
        os.chdir("/")
    found["machine"] = machine()
    print(json.dumps(found, indent=1))
    if not quick:
        write(found)


def write(found: dict[str, Any]) -> None:
    """The results for programs, and as a page."""
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    names = dict.fromkeys(name for what in ("rows", "images") for name in found[what])
    rows = [{"": name} | {what: found[what].get(name) for what in ("rows", "images")} for name in names]
    lines = [
        "# Pieces of a plan for many rows",
        "",
        "What one core does in a second of the processor, one thread: rows of a Parquet file through an encoder `mlp`, "
        "JPEGs of a tar through `resnet18`.",
        "",
        *table(rows),
        "Repeat: `python benchmarks/pieces.py`.",
        "",
    ]
    RESULTS.with_suffix(".md").write_text("\n".join(lines), encoding="utf-8")


def of_rows(n: int) -> dict[str, Any]:
    """Rows of a table, an encoder `mlp`."""
    from replearn import Autoencoder, as_samples

    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(n, COLUMNS)).astype(np.float32))
    frame.columns = [f"x{column}" for column in range(COLUMNS)]
    frame.to_parquet("rows.parquet")
    samples, read = timed(n, lambda: as_samples("rows.parquet"))
    method = Autoencoder(encoder="mlp", dim=32, device="cpu").prepare(samples)
    return {"numbers": COLUMNS, "read a second": read} | of_samples(method, samples, n, n)


def of_images(n: int, few: int) -> dict[str, Any]:
    """Images in a tar, an encoder `resnet18`."""
    from replearn import SimCLR, as_samples

    draw = np.random.default_rng(0)
    with tarfile.open("images.tar", "w") as archive:
        for number in range(n):
            stream = io.BytesIO()
            smooth = Image.fromarray(draw.integers(0, 256, (12, 12, 3), dtype=np.uint8)).resize((SIDE, SIDE))
            smooth.save(stream, "JPEG")
            info = tarfile.TarInfo(f"{number:06}.jpg")
            info.size = stream.tell()
            stream.seek(0)
            archive.addfile(info, stream)
    samples, read = timed(n, lambda: as_samples("images.tar"))
    method = SimCLR(encoder="resnet18", device="cpu").prepare(samples)
    bytes_each = int(np.prod(samples.shape))
    found = {"side": SIDE, "decoded into the cache a second": read, "bytes in the cache": bytes_each}
    return found | of_samples(method, samples, n, few)


def of_samples(method: Any, samples: Any, n: int, few: int) -> dict[str, Any]:
    """Hashing, the network, writing."""
    from replearn.data.copies import content_fingerprint
    from replearn.service.embedding import columns_of, embed_rows, write_parquet

    _, hashed = timed(n, lambda: content_fingerprint(samples))
    list(embed_rows(method, samples, start=0, batch=8, stop=8))  # what comes once
    parts, embedded = timed(few, lambda: list(embed_rows(method, samples, start=0, batch=512, stop=few)))
    rows = np.resize(np.concatenate(parts), (n, parts[0].shape[1]))
    if few < n:  # rows that repeat would be packed
        rows = np.random.default_rng(0).normal(size=rows.shape).astype(np.float32)
    _, written = timed(n, lambda: write_parquet(Path("h.parquet"), [rows], columns_of(samples), made={}))
    return {
        "hashed a second": hashed,
        "through the network a second": embedded,
        "width of h": rows.shape[1],
        "written a second": written,
        "bytes of a row that is written": round(Path("h.parquet").stat().st_size / n),
    }


def timed(n: int, work: Callable[[], Any]) -> tuple[Any, float]:
    """What comes of work on n things, and how many that makes in a second of the processor."""
    began = time.process_time()
    found = work()
    return found, float(f"{n / (time.process_time() - began):.3g}")


if __name__ == "__main__":
    main()
