"""Files and pages, read as documents with their origin."""

TITLE = "Document loaders"
ICON = "M6 3h8l4 4v14H6zM14 3v4h4M12 11v6M9 14l3 3 3-3"
ORDER = 50
