"""Tests of harness.pair.audit."""
