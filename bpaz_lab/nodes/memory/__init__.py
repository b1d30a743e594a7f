"""Remember what was said in a conversation."""

TITLE = "Memory"
ICON = "M5 5h14v10H10l-5 4zM9 9h6M9 12h4"
ORDER = 75
