"""Lists and searches: what is asked for, and their answer (RFC 7644, section 3.4.2)."""

import re
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from scim2_models import ListResponse, NotImplementedException

from users.scim import errors
from users.scim.filters import Filter
from users.scim.projection import Projection

MAX_RESULTS = 200
_MAX_INTEGER = 2**63 - 1
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_PARAMETERS = (
    "filter",
    "startIndex",
    "count",
    "attributes",
    "excludedAttributes",
    "sortBy",
    "sortOrder",
)


class Search:
    """What a list is asked for.

    parameters: as in a query, or in the body of `/.search`. Names that there are not are ignored.

    Raises `SCIMException`.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        names = {name.lower(): name for name in _PARAMETERS}
        found = {
            names[name.lower()]: value
            for name, value in parameters.items()
            if name.lower() in names and value is not None
        }
        if "sortBy" in found or "sortOrder" in found:
            raise NotImplementedException(detail="Lists are not sorted")
        self.filter: object = found.get("filter")
        self.start = max(1, _integer("startIndex", found.get("startIndex", 1)))
        self.count = min(MAX_RESULTS, max(0, _integer("count", found.get("count", MAX_RESULTS))))
        self.projection = projection(found)

    @classmethod
    def of_query(cls, query: QueryDict) -> "Search":
        return cls({name: ",".join(query.getlist(name)) for name in query})

    def page(self, rows: QuerySet[Any], filter_: Filter) -> tuple[list[Any], int]:
        """Return those of `rows` that are on the page, and how many match in all."""
        if self.filter is not None:
            rows = rows.filter(filter_.condition(self.filter))
        total = rows.count()
        if self.start > total or not self.count:
            return [], total
        first = self.start - 1
        return list(rows.order_by("pk")[first : first + self.count]), total

    def answer(self, resources: list[dict[str, Any]], total: int) -> dict[str, Any]:
        shown = [self.projection.of(resource) for resource in resources]
        return list_response(shown, total, self.start)


def projection(parameters: Mapping[str, Any]) -> Projection:
    """Return the projection that `attributes` and `excludedAttributes` ask for."""
    return Projection(_names("attributes", parameters), _names("excludedAttributes", parameters))


def list_response(resources: list[Any], total: int, start: int) -> dict[str, Any]:
    """Return the body of a list."""
    return {
        "schemas": [str(ListResponse.__schema__)],
        "totalResults": total,
        "itemsPerPage": len(resources),
        "startIndex": start,
        "Resources": resources,
    }


def _names(parameter: str, parameters: Mapping[str, Any]) -> list[str]:
    value = parameters.get(parameter)
    listed = value.split(",") if isinstance(value, str) else value or []
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise errors.invalid_value([f"{parameter}: Must be names of attributes"])
    return [name for name in listed if name.strip()]


def _integer(parameter: str, value: object) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        # int() rejects strings of thousands of digits.
        digits = value.strip()
        value = int(digits) if len(digits) < 20 else -1 if digits[0] == "-" else _MAX_INTEGER
    if isinstance(value, bool) or not isinstance(value, int):
        raise errors.invalid_value([f"{parameter}: Must be an integer"])
    return min(value, _MAX_INTEGER)
