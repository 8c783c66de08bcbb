"""Finds behaviours that nobody wrote down: it makes stories, runs them on several builds, and compares."""
