"""The mutation sweep: which scenarios still pass when a knob or a step of theirs is left out."""
