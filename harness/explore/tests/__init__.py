"""Tests of the explorer, with real builds, broken models and ends that lie."""
