"""The folder of a run: written, read back, kept or removed."""
