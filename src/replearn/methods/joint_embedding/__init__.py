"""Joint embedding without negatives: agree on views of one sample, and do not collapse."""

__all__: list[str] = []
