"""What differs between two cells and between two runs."""
