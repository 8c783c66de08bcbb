"""Connections, sessions and explanations as plain text."""
