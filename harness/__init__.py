"""The words that a scenario may use, and nothing else; loaded when first used, so that an agent starts fast."""
