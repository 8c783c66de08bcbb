"""Tests of what a probe concludes."""
