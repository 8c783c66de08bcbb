"""Tests of harness.report.json."""
