"""Reproducers of what was seen, which work without the harness: from connections to a story, from it to source text."""
