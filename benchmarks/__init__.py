"""What the harness costs, as ratios to the same work without it; each module is a program, see README.md."""
