"""How a node runs, as a form: what the canvas shows of ``Policy``, which says what each field means.

Example:
    >>> [field.name for field in POLICY][:3]
    ['disabled', 'retries', 'wait']
"""

from __future__ import annotations

from typing import Final

from bpaz_lab.graph.spec import FieldSpec

POLICY: Final = (
    FieldSpec(
        name="disabled",
        title="Disabled",
        kind="boolean",
        default=False,
        help="The node is passed by: what enters it goes on where it fits.",
    ),
    FieldSpec(
        name="retries",
        title="Retries",
        kind="integer",
        default=0,
        minimum=0,
        maximum=20,
        help="How often it is tried again after it failed.",
    ),
    FieldSpec(
        name="wait",
        title="Wait",
        kind="number",
        default=1,
        minimum=0,
        maximum=3600,
        help="Seconds before the first repeat; they double with each one.",
    ),
    FieldSpec(
        name="timeout",
        title="Timeout",
        kind="number",
        minimum=0.001,
        placeholder="No limit",
        help="Seconds that one try may take.",
    ),
    FieldSpec(
        name="on_error",
        title="On error",
        kind="choice",
        default="fail",
        choices=("fail", "default", "port"),
        help="fail ends the run, default gives the value below, port adds an output for the error.",
    ),
    FieldSpec(
        name="default",
        title="Default value",
        kind="json",
        placeholder="null",
        help="What the node gives where an error is answered by default.",
    ),
    FieldSpec(
        name="retry_on",
        title="Retry on",
        kind="list",
        advanced=True,
        placeholder="TimeoutError",
        help="Names of exception classes or error codes; empty for all that a repeat may help.",
    ),
    FieldSpec(
        name="process",
        title="Own process",
        kind="boolean",
        default=False,
        advanced=True,
        help="A blocking node computes in a process of its own.",
    ),
)
