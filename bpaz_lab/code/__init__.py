"""A workflow as Python and back, and as a script that needs no bpaz_lab.

Reading executes nothing, and nothing here runs a workflow.
"""
