"""How long imports take, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter

from measure import medians, table

PROVIDERS = (
    "langchain",
    "langchain_core",
    "langgraph",
    "xllamacpp",
    "wordllama",
    "pandas",
    "numpy",
    "openai",
)
CATALOGUE = f"""
from time import process_time
began = process_time()
import sys
from bpaz_lab.nodes.catalogue import catalogue
catalogue().describe()
took = process_time() - began
found = [name for name in {PROVIDERS} if name in sys.modules]
assert not found, f"the catalogue imported {{found}}"
print(took)
"""


def seconds(code: str) -> float:
    """The seconds of one Python process."""
    began = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 (our own code)
    return perf_counter() - began


def listed() -> float:
    """The processor seconds to import and describe the whole catalogue, start of Python apart."""
    command = [sys.executable, "-c", CATALOGUE]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 (our own code)
    return float(done.stdout)


def main() -> None:
    """Prints the ratios."""
    took = medians(
        {
            "bare": lambda: seconds("pass"),
            "peers": lambda: seconds("import anywidget, pydantic"),
            "bpaz_lab": lambda: seconds("import bpaz_lab"),
            "Workflow": lambda: seconds("from bpaz_lab import Workflow"),
            "langgraph": lambda: seconds("import langgraph.graph"),
            "catalogue": listed,
        },
        rounds=7,
    )
    rows = [
        ("import anywidget, pydantic", 1.0, took["peers"] / took["bare"]),
        ("import bpaz_lab (goal <= 1.3)", took["bpaz_lab"] / took["peers"], took["bpaz_lab"] / took["bare"]),
        ("from bpaz_lab import Workflow", took["Workflow"] / took["peers"], took["Workflow"] / took["bare"]),
        ("import langgraph.graph", took["langgraph"] / took["peers"], took["langgraph"] / took["bare"]),
    ]
    table("Imports, start of Python included", ("what", "/ anywidget, pydantic", "/ bare Python"), rows)
    print(f"\nCatalogue described: {took['catalogue']:.2f} s of processor (goal 0.30), no provider imported")


if __name__ == "__main__":
    main()
