"""The anywidget canvas. Its traits hold no workflow: everything travels as messages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import traitlets

from bpaz_lab.widget.bridge import Bridge
from bpaz_lab.widget.rich import rich

if TYPE_CHECKING:
    from bpaz_lab.engine.run import Run
    from bpaz_lab.widget.host import Host

STATIC = Path(__file__).parent.parent / "static"


class Canvas(anywidget.AnyWidget):
    """A view of a workflow in a cell.

    Args:
        host: The workflow.
    """

    _esm = STATIC / "widget.js"
    _css = STATIC / "widget.css"
    output = traitlets.Instance(ipywidgets.Output).tag(sync=True, **ipywidgets.widget_serialization)

    def __init__(self, host: Host) -> None:
        super().__init__(output=ipywidgets.Output())
        self.bridge = Bridge(host, self.send, self._show)
        self.on_msg(self._receive)
        _stay_awake(self.comm)

    def close(self) -> None:
        """Ends the view; the workflow and its run go on."""
        if hasattr(self, "bridge"):
            self.bridge.close()
        super().close()

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        self.bridge.receive(content)

    def _show(self, run: Run, value: Any) -> None:
        data, metadata = rich(value, run.masker)
        self.output.outputs = ({"output_type": "display_data", "data": data, "metadata": metadata},)


def _stay_awake(comm: Any) -> None:
    """Lets the page choose the shell that hears it, so that Stop works while a cell is busy.

    ipykernel 7.4 sends what a page says to the shell that spoke last on this comm, whatever the page asks
    for. That is the main shell, which hears nothing until its cell ends.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, asked: asked
