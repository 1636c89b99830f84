"""Random searches for random attributes find whom a few lines of Python find, on every database."""

import operator
import random

import pytest

from tests.factories import MembershipFactory, TeamFactory, UserFactory
from users import search
from users.attributes.rules import rules_by_field
from users.attributes.values import same
from users.models import Membership

KEYS = [
    "a",
    "A",
    "é",
    "😀",
    "😁",
    "-",
    "-a",
    "-A",
    '"',
    "\\",
    "$",
    "[0]",
    "*",
    "%s",
    "\n",
    "0",
    " ",
]
STRINGS = [
    "",
    " ",
    "a",
    "A",
    "a ",
    "é",
    "e\u0301",
    "😀",
    "😁",
    "1",
    "true",
    "%",
    "\\",
    '"',
    "\n",
    "[]",
]
NUMBERS = [
    0,
    -0.0,
    1,
    1.0,
    -1,
    2.5,
    0.3,
    0.1 + 0.2,
    1e-300,
    1e22,
    1.7976931348623157e308,
    2**53 - 1,
]
SCALARS = [*STRINGS, *NUMBERS, True, False]
# What no call stores, but a fixture or a database's own console may have.
STRANGE = [None, {}, {"a": 1}, [None], [["a"]], [{"a": 1}]]
COMPARISONS = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


def value(rng):
    if rng.random() < 0.7:
        return rng.choice(SCALARS)
    return [rng.choice(SCALARS) for _ in range(rng.randrange(4))]


def attributes(rng):
    keys = rng.sample(KEYS, rng.randrange(8))
    return {key: rng.choice(STRANGE) if rng.random() < 0.1 else value(rng) for key in keys}


def condition(rng):
    match rng.choice(["eq", "in", "exists", "contains", *COMPARISONS]):
        case "eq":
            return "eq", value(rng)
        case "in":
            return "in", [value(rng) for _ in range(rng.choice([1, 2, 5, 60]))]
        case "exists":
            return "exists", rng.choice([True, False])
        case "contains":
            # MariaDB takes numbers in lists for equal that differ by less than 1e-12.
            return "contains", rng.choice([*STRINGS, 1, -1.0, 2.5, 1e22, 2**53 - 1, True, False])
        case comparison:
            return comparison, rng.choice(NUMBERS)


def meets(held, key, name, operand):
    if key not in held or name == "exists":
        return name == "exists" and (key in held) is operand
    if name in ("eq", "in"):
        return any(same(held[key], each) for each in (operand if name == "in" else [operand]))
    if name == "contains":
        return isinstance(held[key], list) and any(same(item, operand) for item in held[key])
    is_number = isinstance(held[key], int | float) and not isinstance(held[key], bool)
    return is_number and COMPARISONS[name](held[key], operand)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_a_search_finds_whom_python_finds(seed):
    rng = random.Random(seed)
    team = TeamFactory()
    stored = {f"agent{number}": attributes(rng) for number in range(40)}
    for login_id, skills in stored.items():
        MembershipFactory(user=UserFactory(login_id=login_id, skill_attributes=skills), team=team)
    for _ in range(150):
        key, (name, operand) = rng.choice(KEYS), condition(rng)
        wanted = {"skill_attributes": {key: {name: operand}}}
        matching = search.matching(search.parse(wanted, rules_by_field([])), "user__", "role")
        found = Membership.objects.filter(matching).values_list("user__login_id", flat=True)
        expected = {agent for agent, held in stored.items() if meets(held, key, name, operand)}
        assert set(found) == expected, wanted
