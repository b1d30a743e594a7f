"""What a run is given, and what it gives back."""

TITLE = "Inputs and outputs"
ICON = "M4 12h11M11 8l4 4-4 4M14 4h6v16h-6"
ORDER = 10
