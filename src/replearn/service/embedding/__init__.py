"""Representations of many samples: in parts, as tables, as shards that many processes make."""

from replearn.service.embedding.parts import columns_of, embed_rows
from replearn.service.embedding.sharded import Made, embed_sharded
from replearn.service.embedding.shards import MANIFEST, shard_rows
from replearn.service.embedding.tables import Columns, write_parquet

__all__ = [
    "MANIFEST",
    "Columns",
    "Made",
    "columns_of",
    "embed_rows",
    "embed_sharded",
    "shard_rows",
    "write_parquet",
]
