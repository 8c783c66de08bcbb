"""Tests of harness.cli.cases."""
