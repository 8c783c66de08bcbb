"""Proof of evidence: each line of a finding is compared with what its witness saw."""
