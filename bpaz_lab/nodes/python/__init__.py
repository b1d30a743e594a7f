"""Live objects and functions of the kernel, by their names."""

TITLE = "Python objects"
ICON = "M8 5l-5 7 5 7M16 5l5 7-5 7M14 4l-4 16"
ORDER = 90
