"""The request body: read up to a limit, then parsed as strict JSON (RFC 8259)."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from django.http import UnreadablePostError
from rest_framework.request import Request

from users.api import status_codes
from users.api.envelope import ApiError
from users.attributes.values import json_type

MAX_BYTES = 1_048_576
_JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"  # RFC 7396
_WHITE_SPACE = " \t\n\r"  # JSON's own, RFC 8259, section 2


class Parameters(dict[str, Any]):
    """The members of a JSON object: the body's, or that of an item of a list in it.

    repeated: the parameters that are repeated.
    errors: the errors for repeated members, by parameter; for a member of a parameter's object, one
        level deeper.
    """

    repeated: Collection[str] = ()
    errors: Mapping[str, Any] = {}

    @classmethod
    def of(cls, json_object: "JSONObject") -> "Parameters":
        parameters = cls(json_object)
        parameters.repeated = json_object.repeated
        parameters.errors = _repeated_members(json_object)
        return parameters


class Body:
    """The body of `request`, which is read into memory unless it is larger than `MAX_BYTES`.

    It is read before a row is locked, so that a slow caller holds no lock; `parse` comes later, at
    its place in the order of checks.

    merge_patch: if it may be `application/merge-patch+json`.
    """

    def __init__(self, request: Request, *, merge_patch: bool = False) -> None:
        self.request = request
        self.media_types = [_JSON, _MERGE_PATCH] if merge_patch else [_JSON]
        self.content = self._read()

    def _read(self) -> bytes | None:
        """Return the body, or None if it is too large or did not arrive completely."""
        length = self.request.META.get("CONTENT_LENGTH") or "0"
        # Not every server checks the header, and int() rejects strings of thousands of digits.
        is_number = length.isascii() and length.isdigit() and len(length) <= 15
        if not is_number or int(length) > MAX_BYTES:
            return None
        request = vars(self.request._request)
        if "users_content" not in request:  # a call that is tried again cannot read it again
            try:
                # One more byte, to notice a body that is longer than its Content-Length says, or
                # that has none (from an ASGI server).
                request["users_content"] = self.request.read(MAX_BYTES + 1)
            except UnreadablePostError:
                return None
        content: bytes = request["users_content"]
        return content if len(content) <= MAX_BYTES else None

    def parse(self, *, may_be_empty: bool = False) -> Parameters:
        """Return the JSON object in the body.

        may_be_empty: if `{}` is an object like any other, and not as good as no body.

        Raises `ApiError`: 3114 if the body is missing, 3115 if it is anything else.
        """
        if self.content is None:
            raise _invalid(f"Must have at most {MAX_BYTES} bytes, and arrive whole.")
        text = self.content.removeprefix(b"\xef\xbb\xbf").translate(None, _WHITE_SPACE.encode())
        if text == b"" or (text == b"{}" and not may_be_empty):
            raise self._missing()
        self._check_headers()
        try:
            decoded = self.content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _invalid(f"Must be UTF-8, and is not at byte {error.start}.") from error
        if not decoded.strip():
            raise self._missing()
        return _parse(decoded)

    def _missing(self) -> ApiError:
        errors = {}
        if "HTTP_TRANSFER_ENCODING" in self.request.META and not self.content:
            errors = {"body": ["A body without Content-Length (chunked) is not read."]}
        return ApiError(status_codes.MISSING_BODY, errors)

    def _check_headers(self) -> None:
        encoding = self.request.META.get("HTTP_CONTENT_ENCODING", "identity")
        if encoding.strip().lower() != "identity":
            raise _invalid("Must not be content-encoded.")
        content_type = self.request.META.get("CONTENT_TYPE", "").strip()
        if content_type and content_type.partition(";")[0].strip().lower() not in self.media_types:
            raise _invalid(f"Must be of the media type {' or '.join(self.media_types)}.")


class JSONObject(dict[str, Any]):
    """A JSON object that knows which of its members were repeated."""

    repeated: frozenset[str] = frozenset()


def _parse(text: str) -> Parameters:
    any_repeated = False

    def build(members: list[tuple[str, Any]]) -> JSONObject:
        nonlocal any_repeated
        json_object = JSONObject(members)
        if len(json_object) < len(members):
            any_repeated = True
            counts = Counter(name for name, _ in members)
            json_object.repeated = frozenset(name for name in counts if counts[name] > 1)
        return json_object

    try:
        data = json.loads(
            text,
            object_pairs_hook=build,
            parse_int=_parse_int,
            parse_constant=_refuse_constant,
        )
    except RecursionError as error:
        raise _invalid("Is nested too deeply.") from error
    except ValueError as error:
        raise _invalid(f"Must be JSON: {error}.") from error
    if not isinstance(data, JSONObject):
        raise _invalid(f"Must be a JSON object, not {json_type(data)}.")
    return Parameters.of(data) if any_repeated else Parameters(data)


def _parse_int(digits: str) -> int | float:
    # Infinity, if it is beyond a double: the error then names the parameter, not the whole body.
    return int(digits) if len(digits) < 400 else float(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _invalid(message: str) -> ApiError:
    return ApiError(status_codes.INVALID_REQUEST, {"body": [message]})


def _repeated_members(body: JSONObject) -> dict[str, Any]:
    """Return an error for each member that is repeated in any object of `body`."""
    errors: dict[str, Any] = {name: [REPEATED] for name in body.repeated}
    for parameter, value in body.items():
        if parameter in errors:
            continue
        if isinstance(value, JSONObject):
            deeper = {name: [REPEATED] for name in value.repeated}
            deeper |= {name: [_REPEATED_INSIDE] for name, v in value.items() if _has_repeated(v)}
            if deeper:
                errors[parameter] = deeper
        elif _has_repeated(value):
            errors[parameter] = [_REPEATED_INSIDE]
    return errors


REPEATED = "Is repeated: an object may hold a member once."
_REPEATED_INSIDE = "Holds an object in which a member is repeated."


def _has_repeated(value: object) -> bool:
    """Return True if any object in `value` repeats a member. Not recursive, for any depth."""
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, JSONObject):
            if value.repeated:
                return True
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return False
