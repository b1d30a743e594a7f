"""The workflow as pure data: ports, node specs, the document, its checks, order, changes and diff.

Nothing here runs a node, opens a socket or knows LangChain.
"""
