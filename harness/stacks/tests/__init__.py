"""Tests of harness.stacks."""
