"""The pytest plugin: gives scenarios their pairs and turns what they see into verdicts; drives no TLS itself."""

from __future__ import annotations
