"""Expands declared situations into the cells of a run."""
