"""Updating many users: `PATCH /api/users`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import router
from django.db.models import Exists, OuterRef
from rest_framework.request import Request

from users import changes
from users.api import query, status_codes
from users.api.body import REPEATED, Body, JSONObject, Parameters
from users.api.envelope import ApiError, EnvelopeResponse, listed
from users.api.serializers import UserSerializer, UserUpdateSerializer
from users.api.views.base import ApiView
from users.api.views.saving import saving
from users.attributes import values
from users.attributes.rules import Rules, rules_by_field
from users.db.keys import number_id
from users.models import AbstractUser, AttributeDefinition, Membership
from users.names import MAX_LENGTH, fold

MAX_ITEMS = 1000

# How much text of errors an answer has: an error may list a thousand choices, for each item.
_MAX_ERROR_TEXT = 1_048_576
_NOT_LISTED = "This item's errors are left out, or the answer would be too large: send it alone."

_UPDATE = UserUpdateSerializer()
_USER = UserSerializer()


class Outcome(NamedTuple):
    """What became of an item: its user, if one was found, and why it was refused, if it was."""

    user: Any = None
    error: ApiError | None = None


class Item:
    """An item of the body.

    parameters: those of the update.
    id: the user's id that the item names, as it stands there, or None.
    row_id, login_key: what to find the user by: one of them, or none if there is an `error`.
    error: what is wrong with the item, whoever the user is.
    """

    def __init__(self, value: Any) -> None:
        self.parameters = Parameters()
        self.id: int | None = None
        self.row_id: int | None = None
        self.login_key: str | None = None
        errors: dict[str, Any] = {}
        if not isinstance(value, JSONObject):
            errors["body"] = [f"Must be a JSON object, not {values.json_type(value)}."]
        else:
            self.parameters = Parameters.of(value)
            errors |= self._read_name()
        self.error = ApiError(status_codes.INVALID_REQUEST, errors) if errors else None

    def _read_name(self) -> dict[str, list[str]]:
        """Take the user's name out of the parameters, and return the errors in it."""
        names = [name for name in ("id", "login_id") if name in self.parameters]
        named = {name: self.parameters.pop(name) for name in names}
        errors = {name: [REPEATED] for name in names if name in self.parameters.repeated}
        if "id" in named and not errors:
            if isinstance(named["id"], int) and not isinstance(named["id"], bool):
                self.id, self.row_id = named["id"], number_id(named["id"])
            else:
                errors["id"] = [f"Must be an integer, not {values.json_type(named['id'])}."]
        if "login_id" in named and not errors:
            if error := values.string_error(named["login_id"]):
                errors["login_id"] = [error]
            else:  # a name that is too long is no user's
                name = named["login_id"]
                self.login_key = fold(name) if len(name) <= MAX_LENGTH else ""
        if len(named) != 1:
            errors["body"] = ["Must name its user by 'id' or 'login_id', and not by both."]
        return errors


class BulkUpdateView(ApiView):
    """Updates up to 1,000 users, each on its own, in one transaction."""

    def patch(self, request: Request) -> EnvelopeResponse:
        items, dry_run = _read(request, Body(request).parse())
        try:
            outcomes = self.store_all(items, dry_run=dry_run)
        except changes.SuperusersNotLockedError:
            outcomes = self.store_all(items, dry_run=dry_run, lock_superusers=True)
        refused = any(outcome.error for outcome in outcomes)
        code = status_codes.PARTLY_UPDATED if refused else status_codes.USER_UPDATED
        return EnvelopeResponse(code, {"users": list(_answers(items, outcomes))})

    def store_all(
        self, items: Sequence[Item], *, dry_run: bool, lock_superusers: bool = False
    ) -> list[Outcome]:
        """Validate the items, save the changes of those that are right, and return the outcomes.

        It takes a few statements; where updates are not grouped (`changes.save_many`), one more
        for each user that changes.
        """
        users = get_user_model().objects.db_manager(router.db_for_write(get_user_model()))
        with saving(users.db) as attempt:
            superusers = users.lock_superusers() if lock_superusers else None
            members = self.lock_members(items, users)
            definitions = AttributeDefinition._base_manager.using(users.db).all()
            bulk = _Bulk(members, rules_by_field(definitions), superusers)
            outcomes = [bulk.outcome(number, item) for number, item in enumerate(items, 1)]
            if dry_run:
                for user, found in bulk.changed:
                    changes.preview(user, found)
            else:
                attempt.writes = bool(bulk.changed)
                changes.save_many(bulk.changed, users.db)
        return outcomes

    def lock_members(self, items: Sequence[Item], users: Any) -> list[AbstractUser]:
        """Lock the members of the team whom the items name, and return them."""
        ids = {item.row_id for item in items if item.row_id is not None}
        keys = {item.login_key for item in items if item.login_key is not None}
        if keys:
            ids.update(users.filter(login_key__in=keys).order_by().values_list("pk", flat=True))
        memberships = Membership.objects.using(users.db).filter(team=self.team_id).order_by()
        # Each by a statement of its own, which PostgreSQL cannot but read by the ids.
        members = memberships.filter(user__in=ids).values_list("user", flat=True)
        locked = users.lock(users.filter(pk__in=list(members)))
        # It may have waited. After a wait, only the locked rows are up to date, not what was read
        # from other tables: read again.
        is_member = Exists(memberships.filter(user=OuterRef("pk")))
        read = users.with_logged_in().annotate(is_member=is_member).filter(pk__in=locked)
        return [user for user in read.order_by() if user.is_member]


class _Bulk:
    """Validates the items, one after the other, against the locked users whom they name.

    changed: the users to be saved, each with what changes.
    """

    def __init__(
        self,
        members: Iterable[AbstractUser],
        rules: Mapping[str, Rules],
        superusers: set[Any] | None,
    ) -> None:
        self.by_id = {user.pk: user for user in members}
        self.by_login_key: dict[Any, Any] = {user.login_key: user for user in self.by_id.values()}
        self.rules = rules
        self.superusers = superusers
        self.numbers: dict[Any, int] = {}  # of the items, by user id
        self.changed: list[tuple[AbstractUser, dict[str, Any]]] = []

    def outcome(self, number: int, item: Item) -> Outcome:
        """Return what becomes of the item; its `number` counts from 1."""
        if item.error:
            return Outcome(error=item.error)
        by_id = item.row_id is not None
        user = self.by_id.get(item.row_id) if by_id else self.by_login_key.get(item.login_key)
        if user is None:
            return Outcome(error=ApiError(status_codes.USER_NOT_FOUND))
        earlier = self.numbers.setdefault(user.pk, number)
        if earlier != number:
            errors = {"id" if by_id else "login_id": [f"Item {earlier} names this user already."]}
            return Outcome(user, ApiError(status_codes.INVALID_REQUEST, errors))
        if not item.parameters:
            return Outcome(user, ApiError(status_codes.MISSING_BODY))
        try:
            found = _UPDATE.changes(
                user, item.parameters, self.rules, replace=False, superusers=self.superusers
            )
        except ApiError as error:
            return Outcome(user, error)
        if found:
            self.changed.append((user, found))
            self._count_superuser(user, found)
        return Outcome(user)

    def _count_superuser(self, user: AbstractUser, found: Mapping[str, Any]) -> None:
        """Have later items know the superusers that this one leaves active."""
        is_administrative = user.role_type == AbstractUser.RoleType.ADMINISTRATIVE
        if self.superusers is not None and user.is_superuser and is_administrative:
            match found.get("status"):
                case AbstractUser.Status.INACTIVE:
                    self.superusers.discard(user.pk)
                case AbstractUser.Status.ACTIVE:
                    self.superusers.add(user.pk)


def _read(request: Request, parameters: Parameters) -> tuple[list[Item], bool]:
    """Return the items of the body, and `dry_run` of the query.

    Raises `ApiError` with all errors of the query and of the body as a whole.
    """
    dry_run, errors = _read_query(request)
    for name in parameters:
        if name != "users":
            errors[name] = ["There is no such parameter. Known is: users."]
    if "users" in parameters.repeated:
        errors["users"] = [REPEATED]
    elif "users" not in parameters:
        errors["users"] = ["This parameter is required."]
    elif not isinstance(items := parameters["users"], list):
        errors["users"] = [f"Must be a list, not {values.json_type(items)}."]
    elif not 1 <= len(items) <= MAX_ITEMS:
        errors["users"] = [f"Must have 1 to {MAX_ITEMS} items, and has {len(items)}."]
    if errors:
        raise ApiError(status_codes.INVALID_REQUEST, errors)
    return [Item(value) for value in parameters["users"]], dry_run


def _read_query(request: Request) -> tuple[bool, dict[str, Any]]:
    """Return `dry_run`, and the errors in the query."""
    parameters, found = query.read(request, ("dry_run",))
    errors: dict[str, Any] = dict(found)
    value = parameters.get("dry_run", "false")
    if value not in ("true", "false"):
        errors.setdefault("dry_run", ["Must be true or false."])
    return value == "true", errors


def _answers(items: Sequence[Item], outcomes: Sequence[Outcome]) -> Iterator[dict[str, Any]]:
    """Yield the answer to each item, as the update alone would have been answered."""
    room = _MAX_ERROR_TEXT
    for item, (user, error) in zip(items, outcomes, strict=True):
        user_id = user.pk if user and item.id is None else item.id
        if error is None:
            code, response = status_codes.USER_UPDATED, _USER.to_representation(user)
        else:
            code, response = error.code, {}
            if error.errors:
                response = {"errors": listed(error.errors)}
                room -= len(json.dumps(response))
                if room < 0:
                    response = {"errors": {"body": [_NOT_LISTED]}}
        yield {
            "id": user_id,
            "status_code": code.number,
            "description": code.description,
            "response": response,
        }
