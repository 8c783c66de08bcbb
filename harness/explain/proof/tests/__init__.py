"""Tests of the check of evidence."""
