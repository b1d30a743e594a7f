"""The notebook's view of a workflow: the anywidget canvas, its messages, and the picture that stays.

It knows the workflow through the ``Host`` protocol only; ``api`` hands itself in.
"""
