"""Running a workflow: plan, dataflow scheduler, run handle, events, LangGraph compilation.

What a run does not need to know stays out: documents come checked, node types come from the catalogue.
"""
