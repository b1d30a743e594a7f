"""Documents kept by their vectors, to be searched by meaning."""

TITLE = "Vector stores"
ICON = "M4 6c0-2 16-2 16 0v12c0 2-16 2-16 0zM4 6c0 2 16 2 16 0M4 12c0 2 16 2 16 0"
ORDER = 65
