"""Tests of harness.plugin."""
