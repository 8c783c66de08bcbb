"""Tests of harness.report.run."""
