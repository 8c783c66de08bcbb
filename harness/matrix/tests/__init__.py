"""Tests of harness.matrix."""
