"""Masked prediction: hide a part of a sample, and predict it from the rest."""

__all__: list[str] = []
