"""The Jupyter server extension: routes over HTTP, streams, identity, kernels, health and figures.

Only this room knows Tornado and the Jupyter server. It never runs a node.
"""
