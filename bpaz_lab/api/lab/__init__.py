"""The laboratory as a cell uses it: ``bz.connect()``."""
