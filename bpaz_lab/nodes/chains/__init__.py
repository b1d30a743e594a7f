"""Steps that put a question to a model and hand on what it says."""

TITLE = "Chains"
ICON = "M9 15l6-6M10 6l2-2a4 4 0 0 1 6 6l-2 2M14 18l-2 2a4 4 0 0 1-6-6l2-2"
ORDER = 40
