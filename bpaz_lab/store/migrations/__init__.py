"""The migrations: one file a version, applied in order by ``bpaz db upgrade``.

A migration never imports the tables: they are of today, it is of its day.
"""
