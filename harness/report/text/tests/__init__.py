"""Tests of harness.report.text."""
