"""The query parameters of the calls that list something."""

import pytest

from tests.assertions import assert_refused, assert_retrieved

SIZE = "Must be an integer from 1 to 100."
UNKNOWN = "There is no such parameter. Known are: page_size, after."
CURSOR = "Is not a cursor of this list. Leave it out to start from the beginning."


@pytest.fixture(params=["/api/users/{}/history", "/api/changes"])
def listed(request, call, user):
    path = request.param.format(user.pk)
    return lambda query, **request: call(method="GET", path=path + query, **request)


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        *(
            (f"?page_size={size}", {"page_size": [SIZE]})
            for size in ("0", "101", "x", "", "\u0661")
        ),
        *((f"?page_size={size}", {"page_size": [SIZE]}) for size in ("1.0", "%2B1", "9" * 5000)),
        ("?page_size=1%00", {"page_size": [SIZE]}),
        ("?page_size=%D9%A1", {"page_size": [SIZE]}),
        ("?page_size=5&page_size=5", {"page_size": ["Is repeated."]}),
        ("?after=", {"after": [CURSOR]}),
        ("?after=x", {"after": [CURSOR]}),
        ("?after=%00", {"after": [CURSOR]}),
        ("?after=%FF%ED%A0%80", {"after": [CURSOR]}),
        ("?after=WzFd:AAAA", {"after": [CURSOR]}),
        ("?after=x&after=x", {"after": ["Is repeated."]}),
        ("?page=1", {"page": [UNKNOWN]}),
        ("?format=api", {"format": [UNKNOWN]}),
        ("?%00", {"\0": [UNKNOWN]}),
        ("?page_size=0&after=x&y", {"page_size": [SIZE], "after": [CURSOR], "y": [UNKNOWN]}),
    ],
)
def test_what_is_wrong_in_the_query_is_named(listed, query, errors):
    assert_refused(listed(query), 3115, errors)


def test_thousands_of_parameters_are_refused_too(listed):
    errors = {f"p{n}": [UNKNOWN] for n in range(250)}
    errors["p249"].append("1,750 more errors are not listed.")
    assert_refused(listed("?" + "&".join(f"p{n}" for n in range(2000))), 3115, errors)


@pytest.mark.parametrize("charset", ["utf-16", "rot13", "nonsense"])
def test_the_type_of_a_body_has_no_part_in_it(listed, charset):
    content_type = f"text/plain; charset={charset}"
    assert assert_retrieved(listed("?page_size=5", content_type=content_type))["page_size"] == 5


@pytest.mark.parametrize("size", ["1", "100", "010"])
def test_a_size_within_the_bounds_is_taken(listed, size):
    assert assert_retrieved(listed(f"?page_size={size}"))["page_size"] == int(size)


def test_ten_is_the_default(listed):
    assert assert_retrieved(listed(""))["page_size"] == 10
