"""What a cell uses: ``Workflow``, its nodes and ports, and the ``node`` decorator; it joins the rooms below.
"""
