"""A validation error as one clear line: the key's path, what must hold, what was received."""

import difflib
import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bnsearch.search.tables import LIMITS

SEARCHED = tuple(LIMITS)
MUST = {
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "must be finite",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "tuple_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "literal_error": "must be {expected}",
    "union_tag_invalid": "must have a `kind` of {expected_tags}",
    "union_tag_not_found": "must have a `kind`",
    "too_short": "must have at least {min_length} value(s)",
    "too_long": "must have at most {max_length} value(s)",
    "missing": "must be given",
}


def first_problem(error: ValidationError, model: type[BaseModel], prefix: str) -> str:
    """The first problem (the deepest, when a value fits none of several types) and how many more there are."""
    problems = error.errors(include_url=False)
    first = _path(problems[0], model)
    same = [p for p in problems if all(a == b for a, b in zip(_path(p, model), first, strict=False))]
    chosen = max(same, key=lambda p: (len(_path(p, model)), p["type"] == "value_error", "_type" not in p["type"]))
    n_more = len({tuple(_path(p, model)) for p in problems if p not in same})
    more = f" ({n_more} more problem{'s' * (n_more > 1)} after this.)" if n_more else ""
    return _sentence(chosen, model, prefix) + more


def _sentence(problem: ErrorDetails, model: type[BaseModel], prefix: str) -> str:
    parts = _path(problem, model)
    name = ".".join(([prefix] if prefix else []) + parts)
    if problem["type"] == "extra_forbidden":
        known = sorted(_siblings(parts, model))
        close = difflib.get_close_matches(parts[-1], known, n=1)
        hint = (
            f"; did you mean `{close[0]}`?" if close else f"; possible keys are {', '.join(known)}." if known else "."
        )
        return f"unknown key `{name}`{hint}"
    if problem["type"] == "value_error":
        text = problem["msg"].removeprefix("Value error, ")
        return f"`{name}`: {text}." if name else f"{text}."
    must = MUST.get(problem["type"], problem["msg"]).format(**problem.get("ctx", {}))
    return f"`{name}` {must}." if problem["type"] == "missing" else f"`{name}` {must}, but got {problem['input']!r}."


def _path(problem: ErrorDetails, model: type[BaseModel]) -> list[str]:
    """The parts of a location that stand in the file, unlike the names of a union's members."""
    *parents, last = problem["loc"] or ("",)
    keys = set(_all_keys(model))
    path = [str(part) for part in parents if isinstance(part, int) or part in keys]
    if isinstance(last, int) or last in keys or problem["type"] == "extra_forbidden":
        path.append(str(last))
    return path


def _all_keys(annotation: Any) -> Iterator[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for key, info in annotation.model_fields.items():
            yield key
            yield from _all_keys(info.annotation)
        return
    if get_origin(annotation) is dict:
        yield from SEARCHED
    for argument in get_args(annotation):
        if isinstance(argument, type) or get_origin(argument) in (Annotated, dict, tuple, types.UnionType, Union):
            yield from _all_keys(argument)


def _siblings(parts: list[str], model: type[BaseModel]) -> set[str]:
    """The keys that may stand where the last of parts does."""
    models: list[type[BaseModel]] = [model]
    for part in parts[:-1]:
        inner = [found for m in models if part in m.model_fields for found in _models(m.model_fields[part].annotation)]
        models = inner or models  # the name of a searched hyperparameter leads to no other model
    return {key for m in models for key in m.model_fields}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
