"""Differences between two cells and between two runs."""
