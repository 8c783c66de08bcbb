"""Tests of harness.report.diff."""
