"""Probes a server that the harness does not drive: connects, resumes, and answers why it does or does not."""
