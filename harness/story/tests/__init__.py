"""Tests of harness.story."""
