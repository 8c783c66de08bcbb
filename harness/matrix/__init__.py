"""From a declared situation to the cells of a run."""
