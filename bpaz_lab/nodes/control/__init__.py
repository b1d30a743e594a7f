"""Decide which way a run goes."""

TITLE = "Control flow"
ICON = "M4 12h5l6-6h5M9 12l6 6h5M17 3l3 3-3 3M17 15l3 3-3 3"
ORDER = 80
