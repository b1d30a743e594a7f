"""One file for each resource: what is read and written, on behalf of a caller."""
