"""What every node type offers for a script fits its ports and settings."""

from __future__ import annotations

import inspect

import pytest

from bpaz_lab.code.shake import Shaken
from bpaz_lab.nodes.catalogue import catalogue
from bpaz_lab.nodes.script import in_script, piece_of, pieces_of

pytestmark = pytest.mark.unit
TYPES = [cls for cls in catalogue() if cls.package == "bpaz_lab"]
LIVE = {"PythonFunction", "Variable"}
"""Types that name live objects of a kernel, which a file cannot bring."""


def inlined(cls):
    """What stands for the run itself is no call in a script."""
    return cls.collects or any(port.source == "run" for port in cls.default_ports().inputs)


def test_every_type_but_those_of_live_objects_can_be_in_a_script():
    without = {cls.__name__ for cls in TYPES if not inlined(cls) and not pieces_of(cls)}
    assert without <= LIVE | {"Runnable"}
    assert without >= LIVE


@pytest.mark.parametrize("cls", [cls for cls in TYPES if pieces_of(cls)], ids=lambda cls: cls.__name__)
def test_the_functions_take_every_input_and_every_setting(cls):
    taken = set()
    for piece in pieces_of(cls):
        parameters = inspect.signature(piece.function).parameters.values()
        taken |= {each.name for each in parameters}
        if any(each.kind is each.VAR_KEYWORD for each in parameters):
            taken |= {port.name for port in cls.default_ports().inputs}
    wanted = {port.name for port in cls.default_ports().inputs if port.source == "wire"}
    wanted |= {field.name for field in cls.spec().fields} - {"workflow"}  # a body by file is a body too
    assert wanted - taken == set()


@pytest.mark.parametrize("cls", [cls for cls in TYPES if pieces_of(cls)], ids=lambda cls: cls.__name__)
def test_the_functions_stand_alone(cls):
    for piece in pieces_of(cls):
        shaken = Shaken()
        shaken.take(piece.function.__module__, piece.function.__name__)
        imports, definitions = shaken.text()
        source = "\n".join(["from __future__ import annotations", *imports, *definitions])
        assert "from bpaz_lab" not in source
        assert "import bpaz_lab" not in source
        names = {"__name__": "standing_alone"}
        exec(compile(source, cls.__name__, "exec", dont_inherit=True), names)  # noqa: S102
        assert callable(names[piece.function.__name__])


def test_a_function_is_for_its_output_and_its_settings():
    class Pair:
        pass

    @in_script(Pair, output="one")
    def one():
        """One."""

    @in_script(Pair, "numpy", output="two", when={"kind": "fast"})
    def two():
        """Two."""

    assert piece_of(Pair, "one", {}).function is one
    assert piece_of(Pair, "two", {"kind": "fast"}).packages == ("numpy",)
    assert piece_of(Pair, "two", {"kind": "slow"}) is None
    assert two.__name__ == "two"
