"""What a cell shows: a live canvas, and beside it what stays when the kernel has gone.

The bundle holds the document for our own renderer in JupyterLab and Notebook 7, which mounts the live
canvas or else draws the document; the widget view for other notebooks; and a picture for wherever no
script runs (GitHub, nbviewer, nbconvert). No run results and no secrets are in it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.graph.document import dumps
from bpaz_lab.widget.canvas import Canvas
from bpaz_lab.widget.picture import picture

if TYPE_CHECKING:
    from bpaz_lab.widget.host import Host

DOCUMENT: Final = "application/vnd.bpaz+json"
VIEW: Final = "application/vnd.jupyter.widget-view+json"


def bundle(host: Host) -> dict[str, Any]:
    """The MIME bundle of a workflow, with a new canvas in it."""
    host.settle()
    canvas = Canvas(host)
    made = canvas._repr_mimebundle_()
    view = made[0] if isinstance(made, tuple) else made
    with host.history.lock:
        document = json.loads(dumps(host.history.document))
    return {
        "text/plain": repr(host),
        DOCUMENT: document,
        "image/svg+xml": picture(document, host.types),
        **({VIEW: view[VIEW]} if view and VIEW in view else {}),
    }
