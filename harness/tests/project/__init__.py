"""Tests of the project itself: its pages, prose, package and scenario files."""
