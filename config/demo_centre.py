"""A lively contact centre for the demo: teams, users, skills, sessions, chats and a history.

It is written in bulk, past the models' own `save()`: so all that `save()` would have seen to is
made here, the history too. The same number of users is the same centre each time.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import get_random_string

from users.models import AccessToken, AttributeDefinition, Change, Membership, Session, Team
from users.sessions import SessionStore

User: Any = get_user_model()
Kind, Type = AttributeDefinition.Kind, AttributeDefinition.Type
Values = dict[str, Any]

MAX_USERS = 200_000
_BATCH = 1_000

#: Beside those that every demo has: kind, name, type, choices, description.
DEFINITIONS: tuple[tuple[Any, ...], ...] = (
    (Kind.CUSTOM, "shift", Type.CHOICE, ["Early", "Late", "Night"], "When the user works"),
    (Kind.CUSTOM, "contract", Type.CHOICE, ["Full time", "Part time", "Agency"], ""),
    (Kind.CUSTOM, "desk", Type.TEXT, [], "Floor and seat"),
    (Kind.CUSTOM, "remote", Type.BOOLEAN, [], "Works from home"),
    (
        Kind.SKILL,
        "products",
        Type.MULTIPLE_CHOICE,
        ["Cards", "Loans", "Mortgages", "Insurance", "Flights", "Hotels", "Returns", "Warranty"],
        "What the user can answer questions on",
    ),
    (Kind.SKILL, "certified", Type.BOOLEAN, [], "Passed this year's test"),
    (Kind.SKILL, "channel", Type.CHOICE, ["Chat", "Voice", "Email"], "Where the user is best"),
)
#: By location: first names, last names, and languages, the first of which everybody there speaks.
_PEOPLE: dict[str, tuple[list[str], list[str], list[str]]] = {
    "Berlin": (
        ["Anna", "Bruno", "Clara", "Emil", "Greta", "Jonas", "Lena", "Mehmet", "Paula", "Uwe"],
        ["Keller", "Krüger", "Neumann", "Schäfer", "Vogel", "Weiß", "Yilmaz", "Zimmer"],
        ["de", "en", "fr"],
    ),
    "Mumbai": (
        ["Aarav", "Asha", "Deepa", "Ishaan", "Kavya", "Meera", "Nikhil", "Priya", "Rohan", "Sunil"],
        ["Desai", "Iyer", "Joshi", "Kapoor", "Mehta", "Nair", "Rao", "Shah"],
        ["en", "hi"],
    ),
    "Toronto": (
        ["Amélie", "Chloé", "Ethan", "Liam", "Mia", "Noah", "Olivia", "Sophie", "Wei", "Zoé"],
        ["Bouchard", "Chen", "Gagnon", "MacDonald", "Martin", "Roy", "Singh", "Tremblay"],
        ["en", "fr", "hi"],
    ),
}
_BUSINESSES = ["Retail", "Banking", "Travel"]
_JOBS = ["Agent", "Agent", "Agent", "Senior agent", "Trainer", "Back office", "Quality coach"]


def make(
    number: int, operators: list[Any], progress: Callable[[int], None], seed: str = "centre"
) -> None:
    """Make `number` users with all that belongs to them; call it in a transaction.

    operators: who the history says made the changes.
    progress: told how many users have been added since the last time.
    """
    chance = random.Random(seed)  # noqa: S311 (nothing secret)
    for kind, name, type_, choices, description in DEFINITIONS:
        values = {"type": type_, "choices": choices, "description": description}
        AttributeDefinition.objects.get_or_create(kind=kind, name=name, defaults=values)
    teams = _teams(max(3, min(60, number // 100)))
    tokens = _tokens(teams)
    actors = [*operators, *tokens]
    first = (User.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    for start in range(0, number, _BATCH):
        numbers = range(first + start, first + min(start + _BATCH, number))
        agents = [_agent(n, teams, chance) for n in numbers]
        # By Django's own, which writes no history: theirs is made up, below.
        QuerySet(User).bulk_create(agent.user for agent in agents)
        QuerySet[Any](Membership).bulk_create(
            Membership(user=agent.user, team_id=team_id, role=role)
            for agent in agents
            for team_id, role in agent.roles.items()
        )
        Session.objects.bulk_create(_session(agent.user) for agent in agents if agent.is_logged_in)
        changes = [change for agent in agents for change in _history(agent, actors, chance)]
        Change.objects.bulk_create(sorted(changes, key=lambda change: change.at))
        progress(len(agents))


def _teams(number: int) -> list[tuple[Team, str, str]]:
    """Return `number` teams, each with its business and location; those that are there stay."""
    found = []
    for n in range(number):
        business = _BUSINESSES[n % 3]
        location = list(_PEOPLE)[n // 3 % 3]
        name = f"{business} {location} {n // 9 + 1}"
        team = Team.objects.filter(name=name).first() or Team.objects.create(name=name)
        found.append((team, business, location))
    return found


def _tokens(teams: Iterable[tuple[Team, str, str]]) -> list[AccessToken]:
    granted, now = [team for team, _, _ in teams], timezone.now()
    lives = (("HR system", 300), ("Work-force planning", 12), ("Reporting", 27))
    return [
        AccessToken.objects.filter(name=name).first()
        or AccessToken.objects.issue(name, granted, now + timedelta(days=days))[0]
        for name, days in lives
    ]


@dataclass(slots=True)
class _Agent:
    """A user to be, with what the other tables say of the user."""

    user: Any
    roles: dict[int, str]  # by team id
    updates: list[tuple[Values, Values, datetime]]  # before, after, and when
    is_logged_in: bool


def _agent(number: int, teams: list[tuple[Team, str, str]], chance: random.Random) -> _Agent:
    user = _user(number, chance)
    agent = _Agent(user, _roles(user, teams, chance), _updates(user, chance), False)
    user.updated_at = max([user.created_at, *(at for _, _, at in agent.updates)])
    if user.is_active and chance.random() < 0.35:
        agent.is_logged_in = True
        user.last_login = timezone.now() - timedelta(hours=chance.triangular(0, 9, 2))
        if chance.random() < 0.8:
            user.accepting_chats, user.active_chats = True, chance.choice([0, 1, 1, 2, 3, 4])
    return agent


def _user(number: int, chance: random.Random) -> Any:
    location = chance.choices(list(_PEOPLE), [3, 5, 2])[0]
    first_names, last_names, languages = _PEOPLE[location]
    custom: Values = {
        "business": chance.choices(_BUSINESSES, [5, 3, 2])[0],
        "location": location,
        "shift": chance.choice(["Early", "Late", "Night"]),
    }
    if chance.random() < 0.7:
        custom["contract"] = chance.choice(["Full time", "Full time", "Part time", "Agency"])
    if chance.random() < 0.3:
        custom["remote"] = chance.random() < 0.5
    if not custom.get("remote"):
        custom["desk"] = f"{chance.randint(1, 9)}.{chance.randint(1, 240):03}"
    if chance.random() < 0.005:
        custom["business"] = "Telecoms"  # which the definition no longer allows
    skills: Values = {
        "languages": [languages[0], *(code for code in languages[1:] if chance.random() < 0.5)],
        "seniority": chance.randint(0, 20),
        "channel": chance.choice(["Chat", "Chat", "Voice", "Email"]),
        "products": sorted(
            chance.sample(["Cards", "Loans", "Flights", "Hotels", "Returns"], chance.randint(1, 3))
        ),
    }
    if chance.random() < 0.4:
        skills["certified"] = chance.random() < 0.8
    if chance.random() < 0.02:
        del skills["languages"]
    created_at = timezone.now() - timedelta(days=chance.triangular(1, 900, 60))
    is_active = chance.random() > 0.06
    has_been_here = is_active and chance.random() < 0.9
    login_id = f"agent{number:05}"
    return User(
        login_id=login_id,
        email_id=f"{login_id}@desk.example",
        password=make_password(None),
        first_name=chance.choice(first_names),
        last_name=chance.choice(last_names),
        status=User.Status.ACTIVE if is_active else User.Status.INACTIVE,
        job_description=chance.choice(_JOBS),
        login_using_email=chance.random() < 0.5,
        custom_attributes=custom,
        skill_attributes=skills,
        created_at=created_at,
        last_login=_between(created_at, chance) if has_been_here else None,
    )


def _between(start: datetime, chance: random.Random) -> datetime:
    """Return a moment between `start` and now, more likely a late one."""
    return start + (timezone.now() - start) * chance.triangular(0, 1, 1)


def _roles(user: Any, teams: list[tuple[Team, str, str]], chance: random.Random) -> dict[int, str]:
    """Return the user's roles by team id: mostly one team, and a few users with all of them."""
    likely = [
        team.pk
        for team, business, location in teams
        if business == user.custom_attributes["business"]
        and location == user.custom_attributes["location"]
    ] or [team.pk for team, _, _ in teams]
    kind = chance.random()
    if kind < 0.002:  # who looks after the whole centre
        user.job_description = "Head of service"
        return {team.pk: Membership.Role.ANALYST.value for team, _, _ in teams}
    if kind < 0.02:
        return {chance.choice(likely): Membership.Role.MANAGER.value}
    if kind < 0.03:
        return {}
    number = min(len(likely), chance.choice([1, 1, 1, 2]))
    return dict.fromkeys(sorted(chance.sample(likely, number)), Membership.Role.AGENT.value)


def _session(user: Any) -> Session:
    """Return a session that nobody has the cookie of."""
    return Session(
        session_key=get_random_string(32),
        session_data=SessionStore().encode({}),
        expire_date=timezone.now() + timedelta(days=14),
        user=user,
        password_digest=sha256(user.password.encode()).hexdigest(),
    )


def _updates(user: Any, chance: random.Random) -> list[tuple[Values, Values, datetime]]:
    """Return what was changed of the user since the first day: before, after, and when."""
    found: list[tuple[Values, Values]] = []
    if not user.is_active:
        found.append(({"status": "active"}, {"status": "inactive"}))
    if chance.random() < 0.3:
        found.append(({"job_description": "Trainee"}, {"job_description": user.job_description}))
    if chance.random() < 0.3:
        shift = user.custom_attributes["shift"]
        before = {"shift": "Early" if shift == "Night" else "Night"}
        found.append(({"custom_attributes": before}, {"custom_attributes": {"shift": shift}}))
    if chance.random() < 0.2 and (years := user.skill_attributes["seniority"]):
        before = {"seniority": years - 1}
        found.append(({"skill_attributes": before}, {"skill_attributes": {"seniority": years}}))
    return [(before, after, _between(user.created_at, chance)) for before, after in found]


def _history(agent: _Agent, actors: list[Any], chance: random.Random) -> Iterator[Change]:
    """Yield how the user was made, and each change since."""
    made: Values = {name: getattr(agent.user, name) for name in _RECORDED}
    made["memberships"] = {str(team_id): role for team_id, role in agent.roles.items()}
    made |= {"accepting_chats": False, "active_chats": 0}
    for before, _, _ in agent.updates:
        for name, value in before.items():
            made[name] = {**made[name], **value} if isinstance(value, dict) else value
    created_at = agent.user.created_at
    yield _change(agent, chance.choice(actors), Change.Action.CREATED, created_at, {}, made)
    for before, after, at in agent.updates:
        yield _change(agent, chance.choice(actors), Change.Action.UPDATED, at, before, after)


_RECORDED = (
    "first_name",
    "last_name",
    "login_id",
    "email_id",
    "status",
    "job_description",
    "login_using_email",
    "role_type",
    "accepting_chats",
    "active_chats",
    "custom_attributes",
    "skill_attributes",
)


def _change(
    agent: _Agent, actor: Any, action: str, at: datetime, before: Values, after: Values
) -> Change:
    is_token = isinstance(actor, AccessToken)
    return Change(
        at=at,
        user_id=agent.user.pk,
        login_id=agent.user.login_id,
        action=action,
        door=Change.Door.API if is_token else Change.Door.ADMIN,
        by_type=Change.ByType.ACCESS_TOKEN if is_token else Change.ByType.USER,
        by_id=actor.pk,
        by_name=str(actor),
        before=before,
        after=after,
        teams=sorted(agent.roles),
    )
