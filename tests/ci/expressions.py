"""The expressions of a workflow, as far as this repository's use them; whatever else fails."""

import re
from typing import Any

TOKEN = re.compile(r"\s*('[^']*'|\d+|==|!=|&&|\|\||[!()]|[a-z_][\w.-]*)", re.IGNORECASE)
HOLE = re.compile(r"\$\{\{(.*?)\}\}")
OPERATORS = {"==": "==", "!=": "!=", "&&": "and", "||": "or", "(": "(", ")": ")", "!": "not"}
STATES = ("success", "failure", "cancelled")


def fill(text: str, context: dict[str, Any]) -> str:
    """A text with its `${{ … }}` filled in."""
    return HOLE.sub(lambda hole: _shown(_value(hole[1], context, {})), text)


def evaluate(condition: str, context: dict[str, Any], failed: bool, went: bool) -> bool:
    """An `if:`. Without a word on the state of the jobs before, these must all have succeeded.

    failed: one of them failed; went: those needed succeeded.
    """
    condition = condition.strip().removeprefix("${{").removesuffix("}}")
    states = {"success": went and not failed, "failure": failed, "cancelled": False}
    if not any(f"{state}()" in condition for state in STATES) and not states["success"]:
        return False
    return bool(_value(condition, context, states))


def _value(expression: str, context: dict[str, Any], states: dict[str, bool]) -> Any:
    tokens, place = [], 0
    while rest := expression[place:].strip():
        match = TOKEN.match(expression, place)
        if not match:
            raise ValueError(f"the replay does not know {rest!r} in {expression!r}")
        tokens.append(match[1])
        place = match.end()
    python: list[str] = []
    values: list[Any] = []
    for position, token in enumerate(tokens):
        if token == "!" and not re.match(r"[a-z]", tokens[position + 1]):
            raise ValueError(f"the replay knows ! before a name only: {expression!r}")
        if token == "!" and tokens[position + 2 : position + 3] in (["=="], ["!="]):
            raise ValueError(f"! binds otherwise than Python's not: {expression!r}")
        if token in OPERATORS:
            python.append(OPERATORS[token])
            continue
        python.append(f"values[{len(values)}]")
        values.append(_operand(token, tokens[position + 1 : position + 3], context, states))
    source = " ".join(python).replace("] ( )", "]")
    return eval(source, {"__builtins__": {}}, {"values": values})


def _operand(token: str, following: list[str], context: dict, states: dict[str, bool]) -> Any:
    if token.startswith("'"):
        return token[1:-1]
    if token.isdigit():
        return int(token)
    if following == ["(", ")"]:
        return states[token]
    found: Any = context
    first, *rest = token.split(".")
    known = found[first]  # an unknown context fails
    if first in ("needs", "steps"):
        known, rest = known[rest[0]], rest[1:]  # as does a job or step that is not there
    for key in rest:
        known = known.get(key, "") if isinstance(known, dict) else ""
    return known


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
