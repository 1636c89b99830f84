"""The overview: what the contact centre looks like now, in figures that link to their lists.

The template tag `users_overview` shows it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, Q, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.text import capfirst
from django.utils.translation import gettext

from users.admin.attribute_fields import definition_field_name
from users.admin.changes import start_of_day
from users.admin.user_links import filtered, holders_link, skill_link
from users.db.entries import count_entries
from users.models import (
    AbstractUser,
    AccessToken,
    AttributeDefinition,
    Change,
    Membership,
    Team,
    has_session,
    held,
)

User: Any = get_user_model()
Kind, Type = AttributeDefinition.Kind, AttributeDefinition.Type

MAX_ATTRIBUTES = 4  # custom attributes with choices: the first in their order
MAX_BARS = 10
DAYS = 14
TOKEN_DAYS = 30


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, and the address of the list that it counts ("" if there is none)."""

    label: str
    count: int
    url: str = ""

    @property
    def shown_count(self) -> str:
        return number_format(self.count, force_grouping=True)


class Chart:
    """Figures of one kind, as bars.

    number_left_out: of figures that it does not show.
    url: the address of all.
    """

    def __init__(
        self, title: str, figures: Sequence[Figure], *, number_left_out: int = 0, url: str = ""
    ) -> None:
        self.title = title
        self.url = url
        self.number_left_out = number_left_out
        longest = max((figure.count for figure in figures), default=0) or 1
        self.bars = [(figure, round(100 * figure.count / longest, 1)) for figure in figures]


@dataclass(frozen=True, slots=True)
class ExpiringToken:
    name: str
    expires_at: datetime
    url: str


def overview_context(available_apps: Iterable[Mapping[str, Any]], site: str) -> dict[str, Any]:
    """Return what the overview shows: only of the models that the viewer may see.

    available_apps: as in the context of each page of the admin site, which knows the viewer.
    site: the name of the admin site.
    """
    models = (model for app in available_apps for model in app["models"])
    urls = {
        model["model"]: model["admin_url"]
        for model in models
        if model["perms"].get("view") and model["admin_url"]
    }
    context: dict[str, Any] = {"cards": [], "charts": [], "tokens": None, "days": TOKEN_DAYS}
    if User in urls:
        counts = _UserCounts(AttributeDefinition.objects.all())
        context["cards"] = _cards(urls[User], counts)
        context["not_allowed_url"] = filtered(urls[User], not_allowed="any")
        context["charts"] = [
            _statuses(urls[User], counts),
            *_attributes(urls[User], counts),
            _teams(urls[User], urls.get(Team, "")),
            _skills(urls[User], counts),
        ]
    if Change in urls:
        context["charts"].append(_changes(urls[Change]))
    if AccessToken in urls:
        context["tokens"] = _tokens(f"{site}:users_accesstoken_change")
    return context


class _UserCounts:
    """Counts users, each time by one query."""

    def __init__(self, definitions: Iterable[AttributeDefinition]) -> None:
        self.definitions = list(definitions)
        self.by_status = Counter[str]()
        self.accepting = self.chats = 0
        # Numbers and texts, which differ from user to user; not taken apart with the others.
        free = [each for each in self._of(Kind.SKILL) if each.type in (Type.NUMBER, Type.TEXT)]
        self._free_skills = dict.fromkeys((each.name for each in free), 0)
        users = User._default_manager.order_by().values_list("status")
        for status, count, accepting, chats, *holders in users.annotate(
            count=Count("pk"),
            accepting=Count("pk", filter=Q(accepting_chats=True)),
            chats=Sum("active_chats"),
            **{f"held_{each.pk}": Count("pk", filter=held(each)) for each in free},
        ):
            self.by_status[status] = count
            self.accepting += accepting
            self.chats += chats
            if status == AbstractUser.Status.ACTIVE:
                self._free_skills = dict(zip(self._free_skills, holders, strict=True))

    def _of(self, kind: str) -> list[AttributeDefinition]:
        return [definition for definition in self.definitions if definition.kind == kind]

    def by_choice(self) -> list[tuple[AttributeDefinition, Counter[str | None]]]:
        """Return the first custom attributes that have choices, and how many users have each.

        None stands for no value.
        """
        custom = self._of(Kind.CUSTOM)
        shown = [each for each in custom if each.has_choices][:MAX_ATTRIBUTES]
        total = self.by_status.total()
        counters = {each.name: Counter[str | None]({None: total}) for each in shown}
        others = [each.name for each in custom if each not in shown]
        users = User._default_manager.all()
        if shown:
            for name, value, count in count_entries(users, "custom_attributes", counters, others):
                if name in counters:
                    counters[name][None] -= count
                    counters[name].update(dict.fromkeys(_choices(value), count))
        return [(definition, counters[definition.name]) for definition in shown]

    def by_skill(self) -> Counter[tuple[str, str | None]]:
        """Return how many active users have each skill, or each choice of one that has choices."""
        skills = self._of(Kind.SKILL)
        with_choices = {each.name: each for each in skills if each.has_choices}
        # One that nobody has is a gap.
        counts = Counter[tuple[str, str | None]](
            {(each.name, choice): 0 for each in skills for choice in each.choices or [None]}
        )
        for name, count in self._free_skills.items():
            counts[name, None] = count
        users = User._default_manager.filter(status=AbstractUser.Status.ACTIVE.value)
        entries = count_entries(users, "skill_attributes", with_choices, self._free_skills)
        for name, value, count in entries:
            if value is not False:  # who does not have the skill
                for choice in _choices(value) if name in with_choices else (None,):
                    counts[name, choice] += count
        return counts


def _choices(value: Any) -> set[str | None]:
    """Return the choices in an attribute's value; None stands for no value."""
    items = value if isinstance(value, list) else [value]
    return {item for item in items if item is None or isinstance(item, str)}


def _cards(url: str, counts: _UserCounts) -> list[Figure]:
    active = AbstractUser.Status.ACTIVE
    logged_in = User._default_manager.filter(has_session(""), status=active).count()
    return [
        Figure(gettext("Active users"), counts.by_status[active], _with_status(url, active)),
        Figure(gettext("Logged in"), logged_in, filtered(url, logged_in=1)),
        Figure(
            gettext("Accepting chats"), counts.accepting, filtered(url, accepting_chats__exact=1)
        ),
        Figure(gettext("Active chats"), counts.chats),
    ]


def _with_status(url: str, status: str, **others: Any) -> str:
    return filtered(url, status__exact=status, **others)


def _statuses(url: str, counts: _UserCounts) -> Chart:
    return Chart(
        gettext("Users by status"),
        [
            Figure(capfirst(str(label)), counts.by_status[status], _with_status(url, status))
            for status, label in AbstractUser.Status.choices
        ],
    )


def _attributes(url: str, counts: _UserCounts) -> list[Chart]:
    charts = []
    for definition, counter in counts.by_choice():
        allowed = set(definition.choices)
        # In the order of the most, and of the choices.
        order = sorted(definition.choices, key=lambda choice: -counter[choice])
        figures = [
            Figure(definition.label(choice), counter[choice], holders_link(url, definition, choice))
            for choice in order[:MAX_BARS]
        ]
        if none := counter[None]:
            link = filtered(url, **{f"{definition_field_name(definition)}__isnull": "True"})
            figures.append(Figure(gettext("(none)"), none, link))
        if refused := sum(counter[each] for each in counter if each not in {*allowed, None}):
            link = filtered(url, not_allowed=definition_field_name(definition))
            figures.append(Figure(gettext("(no longer allowed)"), refused, link))
        title = gettext("Users by %s") % definition.label()
        charts.append(Chart(title, figures, number_left_out=len(order[MAX_BARS:])))
    return charts


def _teams(url: str, teams_url: str) -> Chart:
    teams = Membership.objects.values_list("team", "team__name").annotate(count=Count("pk"))
    found = list(teams.order_by("-count", "team__name"))
    return Chart(
        gettext("Users by team"),
        [
            Figure(name, count, filtered(url, teams__id__exact=pk))
            for pk, name, count in found[:MAX_BARS]
        ],
        number_left_out=len(found[MAX_BARS:]),
        url=teams_url,
    )


def _skills(url: str, users: _UserCounts) -> Chart:
    skills = {each.name: each for each in users.definitions if each.kind == Kind.SKILL}
    status = AbstractUser.Status.ACTIVE.value
    counts = users.by_skill()
    figures = []
    for (name, choice), count in counts.most_common(2 * MAX_BARS):
        label = skills[name].label() if name in skills else name
        link = ""  # of a skill that nobody has defined, there is no filter
        if choice is not None:
            label = f"{label}: {skills[name].label(choice)}"
            link = holders_link(url, skills[name], choice, status__exact=status)
        elif name in skills:
            link = skill_link(url, skills[name], status__exact=status)
        figures.append(Figure(label, count, link))
    return Chart(
        gettext("Skills of active users"),
        figures,
        number_left_out=max(0, len(counts) - 2 * MAX_BARS),
    )


def _changes(url: str) -> Chart:
    today = timezone.localdate() if timezone.is_aware(timezone.now()) else timezone.now().date()
    days = [today - timedelta(days=number) for number in range(DAYS)]
    starts = [start_of_day(day) for day in (today + timedelta(days=1), *days)]
    counts = Change.objects.filter(at__gte=starts[-1]).aggregate(
        **{
            f"day_{number}": Count("pk", filter=Q(at__gte=start, at__lt=end))
            for number, (end, start) in enumerate(pairwise(starts))
        }
    )
    return Chart(
        gettext("Changes by day"),
        [
            Figure(_day(day), count, filtered(url, since=day, until=day))
            for day, count in zip(days, counts.values(), strict=True)
        ],
        url=url,
    )


def _day(day: date) -> str:
    return f"{date_format(day, 'D')} {date_format(day, 'MONTH_DAY_FORMAT')}"


def _tokens(url_name: str) -> list[ExpiringToken]:
    now = timezone.now()
    tokens = AccessToken.objects.filter(
        revoked_at=None, expires_at__gt=now, expires_at__lte=now + timedelta(days=TOKEN_DAYS)
    )
    return [
        ExpiringToken(str(token), token.expires_at, reverse(url_name, args=[token.pk]))
        for token in tokens.order_by("expires_at")[: 2 * MAX_BARS]
    ]
