"""Texts with places that other nodes fill."""

TITLE = "Prompts"
ICON = "M5 4h14v16H5zM8 9h8M8 13h8M8 17h4"
ORDER = 30
