"""Workflows to begin with, each a file that also runs as it is, without network and without a key.

A template is a ``.bpaz`` file and a line in ``builtin.py``; what runs or shows it lives elsewhere.
"""
