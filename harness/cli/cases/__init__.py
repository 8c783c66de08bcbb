"""The commands about one case, and the options that describe a case."""
