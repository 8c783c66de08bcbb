"""Tests of harness.cli.runs."""
