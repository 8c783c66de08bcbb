"""Writes, reads, keeps and removes the folders of runs."""
