"""Tests of harness.pair."""
