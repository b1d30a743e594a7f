"""What a cell uses: ``Workflow``, its nodes and ports, and the ``node`` decorator.

It joins the rooms below; nothing below knows it.
"""
