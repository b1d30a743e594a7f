"""Models that answer in words: offered to other nodes as an object, or asked at once."""

TITLE = "Language models"
ICON = "M4 5h16v11h-9l-4 4v-4H4zM8 10h8"
ORDER = 20
