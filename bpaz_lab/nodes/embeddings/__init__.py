"""Models that turn a text into a vector, so that texts of like meaning lie close together."""

TITLE = "Embeddings"
ICON = "M5 19V5M5 19h14M9 15l2-2M13 12l3-1M9 9l1-2M16 16l1-1"
ORDER = 60
