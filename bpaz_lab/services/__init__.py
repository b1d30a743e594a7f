"""What can be asked for: one file for each resource of the API, each function a route.

A function checks the policy, calls repositories and writes the audit log, in one transaction. It knows
nothing of Tornado: the server serves these routes over HTTP, and ``bz.connect()`` calls the same ones in
process where there is no server.
"""
