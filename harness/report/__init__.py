"""Connections, sessions and verdicts as text and JSON, without input or output."""
