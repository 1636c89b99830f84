"""Errors: exceptions that are answered as SCIM has it (RFC 7644, section 3.12)."""

from collections.abc import Iterable

from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from scim2_models import Error, InvalidSyntaxException, InvalidValueException, SCIMException


class UnauthorizedError(SCIMException):
    """No valid access token. All look the same."""

    status = 401
    _default_detail = "A valid access token is required"


class MethodNotAllowedError(SCIMException):
    """The resource does not have the method; it has those of `allowed`."""

    status = 405
    _default_detail = "The method is not allowed here"

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__()
        self.allowed = ", ".join(allowed)


class UnsupportedMediaTypeError(SCIMException):
    status = 415
    _default_detail = "The body must be application/scim+json, not content-encoded"


class TooManyRequestsError(SCIMException):
    status = 429
    _default_detail = "The access token has used up its calls of today"


class InternalError(SCIMException):
    status = 500
    _default_detail = "Internal server error"


def invalid_syntax(message: str) -> SCIMException:
    return InvalidSyntaxException(detail=message)


def invalid_value(messages: Iterable[str]) -> SCIMException:
    """Return the exception that names each attribute that is wrong."""
    return InvalidValueException(detail="; ".join(messages))


def of_validation(error: ValidationError) -> SCIMException:
    """Return the exception for what Pydantic found: the first, or all that are invalid values."""
    found = [Error.from_validation_error(each) for each in error.errors()]
    if found[0].scim_type != "invalidValue":
        return SCIMException.from_error(found[0])
    return invalid_value(str(each.detail) for each in found if each.scim_type == "invalidValue")


def of_patch(error: SCIMException) -> SCIMException:
    """Return the exception for a PATCH that cannot be applied, with the names of attributes."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return error
    found = cause.errors()
    return invalid_value(
        f"{'.'.join(to_camel(str(part)) for part in each['loc'])}: {each['msg']}" for each in found
    )
