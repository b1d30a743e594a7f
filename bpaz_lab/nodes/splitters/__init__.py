"""Long documents, cut into chunks that fit a model and a search."""

TITLE = "Text splitters"
ICON = "M4 4h16v5H4zM4 15h16v5H4zM4 12h3M10.5 12h3M17 12h3"
ORDER = 55
