"""A story: a whole case as data that is written, read, changed and run again."""
