"""Random workflows over the real catalogue, hostile texts included, valid or not."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from bpaz_lab.graph.document import PORT_PATTERN, normal
from bpaz_lab.nodes.catalogue import catalogue

HOSTILE = [
    "",
    '"',
    "'",
    '"""',
    "'''",
    "\\",
    '\\"',
    "a\\",
    "\n\n\n",
    "one\ntwo\nthree",
    'one\ntwo\nthree"',
    "tab\there\r\nand return\rhere",
    "trailing  \nspace \n",
    "{braces} {{and}} %s {0!r}",
    "\u202eevil\u2066",
    "\x1b[31mred\x7f\x85\u2028",
    "ünïcödé 漢字 🎉 e\u0301",
    '"); import os; os.system("true")  # ',
    "x" * 300,
    "word " * 60,
    "a line that is rather long, so that three of it do not fit\n" * 4,
    "#!shebang",
    "f'{1+1}'",
    "$cred",
]
texts = st.sampled_from(HOSTILE) | st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=40
)
ids = st.sampled_from(
    ["a", "b", "load", "filter", "print", "class", "wf", "bz", "body", "match", "_", "__x__", "X1"]
)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
json = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
points = st.lists(st.floats(-1e6, 1e6) | st.integers(-999, 999).map(float), min_size=2, max_size=2)
expressions = st.sampled_from(
    ["value > 1", "score < 0.5 and value contains 'x'", "true", 'not (value = "a\'b")']
)
fields = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["item", "text", "question", "index"])},
        optional={"kind": st.sampled_from(["text", "number", "json"]), "default": texts},
    ),
    max_size=3,
    unique_by=lambda field: field["name"],
)
policies = st.fixed_dictionaries(
    {},
    optional={
        "retries": st.integers(0, 20),
        "wait": st.floats(0, 60),
        "retry_on": st.lists(st.just("ValueError"), max_size=2),
        "timeout": st.floats(0.1, 60),
        "on_error": st.sampled_from(["fail", "default", "port"]),
        "default": json,
        "disabled": st.booleans(),
    },
)


def values(field):
    """Values of a setting: plausible ones of its kind, and some that are not."""
    kinds = {
        "text": texts,
        "multiline": texts,
        "integer": st.integers(0, 300),
        "number": st.floats(0, 2),
        "boolean": st.booleans(),
        "choice": st.sampled_from(field.choices) if field.choices else texts,
        "list": st.lists(st.sampled_from(["x", "y", "answer"]), min_size=1, max_size=3, unique=True),
        "object": st.dictionaries(texts, json, max_size=2),
        "credential": st.sampled_from([None, {"$cred": "openai"}]),
    }
    named = {"fields": fields, "expression": expressions, "condition": expressions}
    named["cases"] = st.lists(
        st.fixed_dictionaries({"name": ids, "when": expressions}), min_size=1, max_size=2
    )
    likely = {**kinds, **named}.get(field.name if field.name in named else field.kind, json)
    return st.one_of(likely, likely, likely, json)


@st.composite
def entries(draw, depth):
    types = catalogue()
    name = draw(st.sampled_from([*(cls.__name__ for cls in types), "Acme", "text-thing"]))
    cls = types.get(name)
    version = draw(st.sampled_from([cls.version] * 9 + [99])) if cls else draw(st.integers(1, 3))
    settings = {}
    for field in cls.spec().fields if cls else ():
        if field.required or draw(st.booleans()):
            value = draw(values(field))
            if not types.problems(name, {**settings, field.name: value}) or draw(st.integers(0, 9)) == 0:
                settings[field.name] = value
    if cls is None:
        settings = draw(st.dictionaries(texts, json, max_size=3))
    entry = {"type": name, "version": version, "settings": settings}
    if draw(st.integers(0, 3)) == 0:
        entry["title"] = draw(texts)
    if draw(st.integers(0, 3)) == 0:
        entry["policy"] = draw(policies)
    if cls and cls.container and depth and draw(st.integers(0, 9)):
        entry["body"] = draw(bodies(depth - 1))
    return entry


@st.composite
def bodies(draw, depth=2):
    nodes = draw(st.dictionaries(ids, entries(depth), max_size=5 if depth else 3))
    outputs, inputs = ["gone.x"][: draw(st.integers(0, 1))], ["gone.y"][: draw(st.integers(0, 1))]
    for id, entry in nodes.items():
        found = catalogue().ports({**entry, "policy": entry.get("policy", {})})
        outputs += [f"{id}.{port.name}" for port in found.outputs] if found else [f"{id}.out"]
        inputs += [f"{id}.{port.name}" for port in found.inputs] if found else [f"{id}.into"]
    edge = st.tuples(st.sampled_from(outputs or ["gone.x"]), st.sampled_from(inputs or ["gone.y"])).map(list)
    edges = [
        edge
        for edge in draw(st.lists(edge, max_size=8))
        if all(re.fullmatch(PORT_PATTERN, end) for end in edge)
    ]
    members = st.lists(
        st.sampled_from([*nodes, "gone"] if draw(st.integers(0, 5)) == 0 else [*nodes]), max_size=3
    )
    looks = {"color": st.just("red")} if draw(st.integers(0, 9)) == 0 else {}
    note = st.fixed_dictionaries({"text": texts, "at": points}, optional=looks)
    group = st.fixed_dictionaries(
        {"title": texts, "nodes": members if nodes else st.just([])}, optional=looks
    )
    return {
        "nodes": nodes,
        "edges": edges,
        "layout": draw(st.dictionaries(st.sampled_from([*nodes, "a"]), points, max_size=4)),
        "notes": draw(st.dictionaries(ids, note, max_size=2)),
        "groups": draw(st.dictionaries(ids, group, max_size=2)),
    }


documents = st.builds(lambda name, body: normal({"bpaz": 1, "name": name[:255], **body}), texts, bodies())
