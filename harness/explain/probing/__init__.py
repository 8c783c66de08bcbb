"""What the sessions and offers of a probe say about a server: rates, groups of back ends, use, and the remedies."""
