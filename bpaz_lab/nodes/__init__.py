"""The catalogue: one file per node type, one folder per category, found by scanning.

``base.py`` is the contract; whatever a node needs of the outside comes through ``context.py``.
"""
