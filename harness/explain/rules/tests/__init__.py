"""Tests of harness.explain.rules."""
