"""Measures the cost of the harness as ratios to the same work without it; each module is a program, see README.md."""
