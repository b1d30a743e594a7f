"""A workflow over the rows of a table: map, sweep, evaluate."""
