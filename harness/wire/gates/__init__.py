"""What may stand between the ends: a strict middlebox, and a man in the middle."""
