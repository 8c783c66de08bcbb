"""The JSON of a case, a run and a difference, and its schemas."""
