"""Tests of harness.builds."""
