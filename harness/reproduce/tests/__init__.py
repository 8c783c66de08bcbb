"""Tests of harness.reproduce."""
