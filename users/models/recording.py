"""Writes into the history what is saved and deleted of users and their memberships."""

import json
from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, time
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import is_password_usable
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, models, transaction

from users.attributes.rules import KINDS
from users.attributes.values import same
from users.db.compiled import PlannedUpdate
from users.db.fields import ExactCharField, Folded
from users.db.keys import in_parts
from users.models.history import (
    Change,
    Values,
    record,
    record_many,
    record_update,
    team_ids,
    unsaved,
)
from users.models.locking import lock_ids

Roles = Mapping[Any, str]  # by team id
MembershipRow = tuple[Any, Any, str]  # the ids of user and team, and the role


# What changes by itself, or has a way of its own into the history.
_UNRECORDED = frozenset(
    {"password", "last_login", "created_at", "updated_at", "ended_by_scim_team"}
)

# The fields whose rows hold what the instance does. Of others, such as a DecimalField that rounds,
# or a project's own with a `pre_save()`, what was saved is read from the row.
_STORED_AS_GIVEN = frozenset(
    {
        models.BigIntegerField,
        models.BooleanField,
        models.CharField,
        models.DateField,
        models.DateTimeField,
        models.EmailField,
        models.ForeignKey,
        models.IntegerField,
        models.PositiveIntegerField,
        models.SmallIntegerField,
        models.TextField,
        ExactCharField,
    }
)


class Recording:
    """What one save of `user` writes into the history.

    It is made before the save, in the same transaction, with the first table that is saved: of a
    model that inherits from another one's table, the save goes on with its own. Then, for each
    table, either `save` or `write` is called. The line is written with the last.

    table: the model, or the parent of it, whose table is saved first.
    names: the fields that are saved; None: all.
    is_new: true where it is known that there is no row yet.
    """

    def __init__(
        self,
        user: Any,
        table: type[models.Model],
        names: Collection[str] | None,
        is_new: Any,
        using: str,
    ) -> None:
        self.user, self.names, self.using = user, names, using
        self.model = user._meta.concrete_model
        self.fields = _recorded_fields(self.model, names)
        self.has_password = names is None or "password" in names
        self.is_needed = bool(self.fields) or self.has_password
        self.is_read_back = bool(self.model._meta.parents) or not all(
            type(field) in _STORED_AS_GIVEN or field.name in KINDS for field in self.fields
        )
        self.old: Values | None = None
        locked, user.locked_values = user.locked_values, None
        key = user._get_pk_val(table._meta)
        if self.is_needed and not is_new and key is not None:
            self.old = self._stored_row(key, locked)

    def _stored_row(self, key: Any, locked: Values | None) -> Values | None:
        """Return what the row holds, by attribute name; None where there is no row.

        It is read and locked here, unless what the user was read with is known to be locked.
        """
        names = _columns(self.model, self.fields)
        if locked is not None and locked.keys() >= names:
            return locked
        parents = [parent for parent in self.model._meta.get_parent_list() if _is_user(parent)]
        for model in (self.model, *parents):  # a parent's row may be there alone
            own = names & {field.attname for field in model._meta.concrete_fields}
            if row := _row(model, key, own, self.using).select_for_update().first():
                return {**dict.fromkeys(names), **row}
        return None

    def save(self, update: PlannedUpdate, table: type[models.Model]) -> bool:
        """Run `update`, write what it changes, and return True if there was a row to update."""
        if self.old is None:
            return update.run()
        if self.is_read_back:
            is_stored = update.run()
            self.write(table)
            return is_stored
        before, after = self._difference(self.user.__dict__)
        if not after:
            return update.run()
        self._record_update(before, after, update)
        return True

    def write(self, table: type[models.Model]) -> None:
        """Write what has been saved, if `table` is the last."""
        if not self.is_needed or table is not self.model:
            return
        row = self.user.__dict__
        if self.is_read_back or not all(_is_known(field, row) for field in self.fields):
            names = _columns(self.model, self.fields)
            row = _row(self.model, self.user.pk, names, self.using).get()
        before, after = self._difference(row)
        if self.old is None:
            if self.user.first_roles:
                after["memberships"] = _join_teams([self.user], self.using)[self.user.pk]
            name, action = self.user.get_username(), Change.Action.CREATED
            made = record(self.user.pk, name, action, {}, after, self.using)
            _note_creations({self.user.pk: made}, self.using)
        elif after:
            self._record_update(before, after)

    def _record_update(
        self, before: Values, after: Values, update: PlannedUpdate | None = None
    ) -> None:
        name = (self.old or {}).get(self.user.USERNAME_FIELD, self.user.get_username())
        record_update(self.user.pk, name, before, after, self.using, update)

    def _difference(self, row: Mapping[str, Any]) -> tuple[Values, Values]:
        """Return what the save changes, as it was and as it is; `row` is what it stores."""
        user, old = self.user, self.old
        if old is None:
            before, after = Values(), _all_values(self.fields, row)
        else:
            stored, saved = (_recorded_values(self.fields, each) for each in (old, row))
            before, after = _difference(stored, saved)
        if self.has_password:
            now = row["password"]
            was, is_now = old and _password(old["password"]), _password(now)
            # A log-in that rehashes the password saves it alone, and sets none.
            names = self.names
            is_log_in = names is not None and user._password is None and "updated_at" not in names
            is_another = old is not None and old["password"] != now and not is_log_in
            if user._password is not None or was != is_now or is_another:
                before, after = {**before, "password": was}, {**after, "password": is_now}
        return before, after


def _is_user(model: Any) -> bool:
    return hasattr(model, "UNRECORDED_FIELDS")


def _join_teams(users: Iterable[Any], using: str) -> dict[Any, Values]:
    """Make the memberships that new users are saved with, and return them as the history does."""
    model = apps.get_model("users", "Membership")
    memberships: list[Any] = []
    found = {}
    for user in users:
        # In the order of the teams' ids, in which a deletion of several locks them.
        roles, user.first_roles = dict(sorted(user.first_roles.items())), {}
        memberships += [
            model(user_id=user.pk, team_id=team, role=role) for team, role in roles.items()
        ]
        found[user.pk] = _memberships(roles, {})
    # Django's own `bulk_create`, for they are recorded with the user.
    plain: Any = models.QuerySet(model, using=using)
    plain.bulk_create(memberships)
    return found


def record_creations(model: Any, users: Collection[Any], using: str) -> None:
    """Write into the history that users were made, whose rows are stored, and their teams with it.

    users: of `model`.
    """
    fields = _recorded_fields(model, None)
    names = _columns(model, fields)
    roles = _join_teams(users, using)
    for ids in in_parts([user.pk for user in users]):
        changes = []
        rows = model._base_manager.using(using).filter(pk__in=ids).order_by("pk")
        for row in rows.values("pk", *names):
            after = _all_values(fields, row)
            if password := _password(row["password"]):
                after["password"] = password
            if memberships := roles.get(row["pk"]):
                after["memberships"] = memberships
            login_id, teams = row[model.USERNAME_FIELD], map(int, roles.get(row["pk"], ()))
            changes.append(unsaved(row["pk"], login_id, Change.Action.CREATED, {}, after, teams))
        record_many(changes, using)
        _note_creations({change.user_id: change.pk for change in changes}, using)


def _creations(using: str) -> dict[Any, int]:
    """Return the changes that made users in the transaction that runs, by user id."""
    connection: Any = connections[using]
    noted: dict[Any, int] = vars(connection).setdefault("users_creations", {})
    # After a rollback nothing waits for the commit, and SQLite gives the same ids again.
    if noted and not any(waits[1] == noted.clear for waits in connection.run_on_commit):
        noted.clear()
    return noted


def _note_creations(change_ids: Mapping[Any, int], using: str) -> None:
    creations = _creations(using)
    if not creations:
        transaction.on_commit(creations.clear, using=using)
    creations.update(change_ids)


def _recorded_fields(model: Any, names: Collection[str] | None) -> list[Any]:
    unrecorded = {*_UNRECORDED, *model.UNRECORDED_FIELDS}
    return [
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key or field.generated or isinstance(field, Folded))
        and field.name not in unrecorded
        and not getattr(field, "auto_now", False)
        and (names is None or field.name in names or field.attname in names)
    ]


def _columns(model: Any, fields: Iterable[Any]) -> set[str]:
    return {field.attname for field in fields} | {model.USERNAME_FIELD, "password"}


def _row(model: Any, key: Any, names: Iterable[str], using: str) -> Any:
    return model._base_manager.using(using).filter(pk=key).order_by().values(*names)


def _is_known(field: Any, row: Mapping[str, Any]) -> bool:
    """Return True if `row` has the field's value, and not an expression for it.

    Of an expression, Django 6 has the value, or nothing where the database does not return it.
    """
    return field.attname in row and not hasattr(row[field.attname], "resolve_expression")


def _recorded_values(fields: Iterable[Any], row: Mapping[str, Any]) -> Values:
    """Return the values of `fields` in `row`, as JSON values by field name."""
    return {field.name: _as_json(field, row[field.attname]) for field in fields}


def _all_values(fields: Iterable[Any], row: Mapping[str, Any]) -> Values:
    """Return the values of a user who was made or deleted: an external id only if there is one."""
    found = _recorded_values(fields, row)
    if found.get("external_id") == "":
        del found["external_id"]
    return found


def _as_json(field: Any, value: Any) -> Any:
    if value is None or field.name in KINDS:
        return value
    with suppress(ValidationError):  # as it is stored: the text "3" of a number field is 3
        value = field.to_python(value)
    if isinstance(value, str | bool | int):
        return value
    # Also of field types of a project's own: what JSON has not, such as NaN, becomes a text.
    return json.loads(json.dumps(value, cls=_Encoder), parse_constant=str)


class _Encoder(DjangoJSONEncoder):
    def default(self, value: Any) -> Any:
        if isinstance(value, datetime):  # which the base class cuts to milliseconds
            return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
        if isinstance(value, time):
            return value.isoformat()
        if isinstance(value, bytes | memoryview):
            return b64encode(value).decode()
        try:
            return super().default(value)
        except TypeError:  # of a field type of the project's own
            return str(value)


def _difference(old: Values, new: Values) -> tuple[Values, Values]:
    """Return what differs between two sets of values, as it was and as it is.

    Attributes are compared key by key; None stands for what is not there.
    """
    before: Values = {}
    after: Values = {}
    for name in new:
        was, now = old.get(name), new[name]
        if same(was, now):
            continue
        if name in KINDS and isinstance(was, dict) and isinstance(now, dict):
            keys = [key for key in {**was, **now} if not same(was.get(key), now.get(key))]
            was, now = {k: was.get(k) for k in keys}, {k: now.get(k) for k in keys}
            if not keys:
                continue
        before[name], after[name] = was, now
    return before, after


def _password(encoded: str) -> str | None:
    """Return what the history says of a password: that one is set, never which."""
    return "set" if encoded and is_password_usable(encoded) else None


@contextmanager
def recording_memberships(
    user_ids: Iterable[Any], rows: Callable[[], Iterable[MembershipRow]], using: str
) -> Iterator[None]:
    """Write into the history what changes of memberships inside, in the same transaction.

    user_ids: the users who will have memberships among `rows`, as far as they are known.
    rows: returns the memberships in question as they are stored.
    """
    # Of two changes of one user, the lock makes one the later: what was before is read after that.
    login_ids = _locked_login_ids({*user_ids, *_roles(rows())}, using)
    old = _roles(rows())
    yield
    new = _roles(rows())
    login_ids |= _locked_login_ids(new.keys() - login_ids.keys(), using)
    changed = [pk for pk in sorted(login_ids) if old.get(pk) != new.get(pk)]
    teams = team_ids(changed, using)
    changes = []
    for user_id in changed:
        roles, new_roles = old.get(user_id, {}).items(), new.get(user_id, {}).items()
        was, now = dict(roles - new_roles), dict(new_roles - roles)
        before, after = _memberships(was, now), _memberships(now, was)
        if (creation := _open_creation(user_id, using)) is not None:
            _add_to_creation(creation, after, using)
            continue
        values = {"memberships": before}, {"memberships": after}
        seen_by = {*teams.get(user_id, ()), *was, *now}
        changes.append(
            unsaved(user_id, login_ids[user_id], Change.Action.UPDATED, *values, seen_by)
        )
    record_many(changes, using)


def _roles(rows: Iterable[MembershipRow]) -> dict[Any, dict[Any, str]]:
    """Return the roles by user and team."""
    roles: dict[Any, dict[Any, str]] = {}
    for user_id, team_id, role in rows:
        roles.setdefault(user_id, {})[team_id] = role
    return roles


def _locked_login_ids(user_ids: Collection[Any], using: str) -> dict[Any, str]:
    """Lock users, and return their login ids by user id."""
    return dict(lock_ids(user_ids, using, get_user_model().USERNAME_FIELD))


def _add_to_creation(creation: Change, roles: Values, using: str) -> None:
    """Add memberships to the change that made their user, who was made in this transaction."""
    roles = {**creation.after.get("memberships", {}), **roles}
    creation.after["memberships"] = {team: role for team, role in roles.items() if role is not None}
    creation.teams = sorted({*creation.teams, *map(int, creation.after["memberships"])})
    creation.save(using=using, update_fields=["after", "teams"])


def _open_creation(user_id: Any, using: str) -> Change | None:
    """Return the change that made the user, if it is of this transaction and the user's last."""
    if user_id not in _creations(using):
        return None
    last = Change._default_manager.using(using).filter(user_id=user_id).order_by("-id").first()
    return last if last and last.pk == _creations(using)[user_id] else None


def _memberships(roles: Roles, others: Roles) -> Values:
    return {str(team): roles.get(team) for team in sorted({*roles, *others})}


class _Deletion:
    """What one `delete()` takes with it, from the first `pre_delete` to the last `post_delete`."""

    def __init__(self) -> None:
        self.users: dict[Any, tuple[str, Values]] = {}  # login id and values by user id
        self.roles: dict[Any, dict[Any, str]] = {}  # by user id
        self.left: set[tuple[str, Any]] = set()  # the rows whose `post_delete` is to come

    @staticmethod
    def of(origin: Any, instance: Any) -> "_Deletion":
        """Return the one that is kept on `origin`, what `delete()` was called of; note `instance`.

        Where it has been noted already, an earlier attempt has failed, and this is a new one.
        """
        kept = vars(instance if origin is None else origin)
        row = instance._meta.label, instance.pk
        deletion = kept.get("_users_deletion")
        if deletion is None or row in deletion.left:
            deletion = kept["_users_deletion"] = _Deletion()
        deletion.left.add(row)
        return deletion

    def write(self, using: str) -> None:
        """Write it into the history, after all rows are gone."""
        changes = []
        others = self.roles.keys() - self.users.keys()
        for user_id, (login_id, before) in self.users.items():
            roles = self.roles.get(user_id, {})
            before["memberships"] = _memberships(roles, {})
            changes.append(unsaved(user_id, login_id, Change.Action.DELETED, before, {}, roles))
        login_ids, teams = _login_ids(others, using), team_ids(others, using)
        for user_id in sorted(others):
            roles = self.roles[user_id]
            values = (
                {"memberships": _memberships(roles, {})},
                {"memberships": _memberships({}, roles)},
            )
            seen_by = {*roles, *teams.get(user_id, ())}
            if user_id not in login_ids:  # who went before the membership did
                continue
            login_id = login_ids[user_id]
            changes.append(unsaved(user_id, login_id, Change.Action.UPDATED, *values, seen_by))
        record_many(changes, using)


def _login_ids(user_ids: Collection[Any], using: str) -> dict[Any, str]:
    users = get_user_model()._base_manager.using(using)
    found: dict[Any, str] = {}
    for ids in in_parts(user_ids):
        found |= users.filter(pk__in=ids).values_list("pk", get_user_model().USERNAME_FIELD)
    return found


def _user_goes(instance: Any, using: str, origin: Any, **kwargs: Any) -> None:
    deletion = _Deletion.of(origin, instance)
    model = instance._meta.concrete_model
    fields = _recorded_fields(model, None)
    names = {field.attname for field in fields} | {model.USERNAME_FIELD}
    rows = model._base_manager.using(using).select_for_update().filter(pk=instance.pk).order_by()
    if row := rows.values(*names).first():
        deletion.users[instance.pk] = row[model.USERNAME_FIELD], _all_values(fields, row)


def _membership_goes(instance: Any, using: str, origin: Any, **kwargs: Any) -> None:
    deletion = _Deletion.of(origin, instance)
    row = instance.user_id, instance.team_id, instance.role
    if origin is instance:
        # The instance may be old. With a team or a user, it was read for the deletion.
        users = get_user_model()._base_manager.using(using).select_for_update().order_by()
        users.filter(pk=instance.user_id).values("pk").first()
        memberships = type(instance)._base_manager.using(using).filter(pk=instance.pk)
        row = memberships.values_list("user", "team", "role").first()
    if row is not None:
        user_id, team_id, role = row
        deletion.roles.setdefault(user_id, {})[team_id] = role


def _is_gone(instance: Any, using: str, origin: Any, **kwargs: Any) -> None:
    kept = vars(instance if origin is None else origin)
    deletion = kept["_users_deletion"]
    deletion.left.discard((instance._meta.label, instance.pk))
    if not deletion.left:
        del kept["_users_deletion"]
        deletion.write(using)


def connect() -> None:
    """Have deletions recorded, of proxies too, once the models are there."""
    recorded = {
        get_user_model(): _user_goes,
        apps.get_model("users", "Membership"): _membership_goes,
    }
    for model in apps.get_models():
        if goes := recorded.get(model._meta.concrete_model or model):
            models.signals.pre_delete.connect(goes, sender=model)
            models.signals.post_delete.connect(_is_gone, sender=model)
