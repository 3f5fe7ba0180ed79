"""JSON that comes from outside (RFC 8259): parsed once, strictly, and its counterpart.

Everything here is pure. Whatever the bytes are, a function returns a valid value or raises a
`CryptoChatError`; what the fields mean is said in `wire`, `drawing` and `greeting`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from .errors import BadRequest
from .limits import Limits

_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_object(body: bytes, limits: Limits) -> dict[str, Any]:
    """The JSON object (RFC 8259) that `body` is; else BadRequest.

    Refused, beside what is no JSON: NaN and Infinity, a name twice, nesting
    past `limits.json_depth`, lone surrogates.
    """
    try:
        value = _DECODER.decode(body.decode())
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is not one JSON object") from error
    if not isinstance(value, dict):
        raise BadRequest("the body is not one JSON object")
    if (
        b"\\u" in body or body.count(b"{") + body.count(b"[") > limits.json_depth
    ):  # else there is nothing to find
        _check(value, limits.json_depth)
    return value


def text_field(fields: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """The string under `name`; without one, `default`, or BadRequest if there is no default."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise BadRequest(f"“{name}” must be a string")
    return value


def only(fields: Mapping[str, Any], *names: str) -> None:
    """BadRequest if `fields` has another name than these."""
    for name in fields:
        if name not in names:
            raise BadRequest(f"unknown field “{name[:64]}”")


def dump(value: object) -> bytes:
    """`value` as the body of a request or of an answer."""
    return _ENCODER.encode(value).encode()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _object_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return value


def _check(value: object, depth: int) -> None:
    """BadRequest for nesting deeper than `depth` and for strings that UTF-8 cannot carry."""
    if isinstance(value, str):
        if not value.isascii() and _SURROGATE.search(value):
            raise BadRequest("a lone surrogate is no character")
        return
    if isinstance(value, (dict, list)):
        if depth == 0:
            raise BadRequest("the JSON is nested too deep")
        for item in value:
            _check(item, depth - 1)
        if isinstance(value, dict):
            for item in value.values():
                _check(item, depth - 1)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object_once)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
