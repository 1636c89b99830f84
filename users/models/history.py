"""The history: a row for each change of a user, written in the transaction of the change."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import is_password_usable
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users import acting
from users.attributes.rules import KINDS
from users.attributes.values import JSONDecoder, same
from users.db.compiled import CompiledInsert, Parameter
from users.db.fields import FoldedField
from users.db.functions import JSONList, TransactionID
from users.signals import user_changed

Values = dict[str, Any]
Roles = Mapping[Any, str]  # by team id


class Change(models.Model):
    """One change of a user.

    It names the user and whoever made it without foreign keys, for it outlives both.
    """

    class Action(models.TextChoices):
        CREATED = "created", _("created")
        UPDATED = "updated", _("updated")
        DELETED = "deleted", _("deleted")

    class Door(models.TextChoices):
        API = "api", _("API")
        ADMIN = "admin", _("admin site")
        IMPORT = "import", _("import")
        SCIM = "scim", _("SCIM")
        COMMAND = "command", _("command")
        CODE = "code", _("code")

    class ByType(models.TextChoices):
        ACCESS_TOKEN = "access_token", _("access token")
        USER = "user", _("user")

    # The feed holds back what a transaction that still runs could come before.
    transaction_id = models.BigIntegerField(db_default=TransactionID(), editable=False)
    at = models.DateTimeField(_("time"), default=timezone.now)
    user_id = models.BigIntegerField(_("user id"))
    login_id = models.CharField(_("login id"), max_length=150)
    action = models.CharField(_("action"), max_length=7, choices=Action)
    door = models.CharField(_("door"), max_length=7, choices=Door)
    by_type = models.CharField(_("changed by"), max_length=12, choices=ByType, blank=True)
    by_id = models.BigIntegerField(null=True, blank=True)
    by_name = models.CharField(max_length=150, blank=True)
    trxid = models.CharField(_("transaction"), max_length=36, blank=True)
    before = models.JSONField(_("before"), decoder=JSONDecoder)
    after = models.JSONField(_("after"), decoder=JSONDecoder)
    # The ids of the teams that the user was in before or after: those that see the change.
    teams = models.JSONField(default=list)

    class Meta:
        default_permissions = ("view",)
        ordering = ("-id",)
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        indexes = [
            models.Index(fields=("user_id", "-id"), name="users_change_user"),
            models.Index(fields=("transaction_id", "id"), name="users_change_feed"),
            models.Index(fields=("at",), name="users_change_at"),
        ]

    def __str__(self) -> str:
        return f"{self.login_id}: {self.get_action_display()}"


class FeedState(models.Model):
    """What makes earlier cursors of the feed of changes invalid: a single row, made when needed.

    epoch: one more with each restart of the feed; a cursor of another epoch is invalid.
    pruned_transaction_id, pruned_id: the place in the feed of the last change that was pruned; a
        cursor from before it is invalid.
    """

    epoch = models.PositiveIntegerField(default=1)
    pruned_transaction_id = models.BigIntegerField(default=0)
    pruned_id = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"epoch {self.epoch}"


# What changes by itself, or has a way of its own into the history.
_UNRECORDED = frozenset({"password", "last_login", "created_at", "updated_at"})


@contextmanager
def recording(
    user: Any, model: type[models.Model], names: Collection[str] | None, is_new: Any, using: str
) -> Iterator[None]:
    """Write into the history what is saved of `user` inside, in the same transaction.

    model: whose table it is, of the user's model and its parents.
    names: the fields that are saved; None: all.
    is_new: true where it is known that there is no row yet.
    """
    fields = _recorded_fields(model, names)
    has_password = names is None or "password" in names
    if not (fields or has_password):
        yield
        return
    old = None if is_new or user.pk is None else _stored_row(user, model, fields, using)
    yield
    row = user.__dict__
    if any(hasattr(row[field.attname], "resolve_expression") for field in fields):
        row = _read(user, model, fields, using).get()
    now = _recorded_values(fields, row)
    if old is None:
        action, before, after = Change.Action.CREATED, Values(), now
    else:
        action = Change.Action.UPDATED
        before, after = _difference(_recorded_values(fields, old), now)
    if has_password:
        was, is_now = old and _password(old["password"]), _password(user.password)
        # `_password` tells one that is set from one that is only hashed anew, as at a log-in.
        if user._password is not None or was != is_now:
            before, after = {**before, "password": was}, {**after, "password": is_now}
    if old is None:
        before = {}
        creation = record(user.pk, user.get_username(), action, before, after, using)
        user.creation_id = creation  # until the transaction ends: `add_membership`
        transaction.on_commit(lambda: setattr(user, "creation_id", None), using=using)
    elif after:
        name = old.get(user.USERNAME_FIELD, user.get_username())
        record(user.pk, name, action, before, after, using)


def _recorded_fields(model: Any, names: Collection[str] | None) -> list[Any]:
    unrecorded = {*_UNRECORDED, *model.UNRECORDED_FIELDS}
    return [
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key or field.generated or isinstance(field, FoldedField))
        and field.name not in unrecorded
        and (names is None or field.name in names or field.attname in names)
    ]


def _stored_row(user: Any, model: Any, fields: list[Any], using: str) -> Values | None:
    """Return what the row holds of `fields`, by attribute name; None where there is no row.

    It is read and locked here, unless what the user was read with is known to be locked.
    """
    if user.locked_values is not None:
        locked, user.locked_values = user.locked_values, None
        return locked
    return _read(user, model, fields, using).select_for_update().first()


def _read(user: Any, model: Any, fields: list[Any], using: str) -> Any:
    names = {field.attname for field in fields} | {model.USERNAME_FIELD, "password"}
    return model._base_manager.using(using).filter(pk=user.pk).order_by().values(*names)


def _recorded_values(fields: Iterable[Any], row: Mapping[str, Any]) -> Values:
    """Return the values of `fields` in `row`, as JSON values by field name."""
    return {field.name: _as_json(row[field.attname]) for field in fields}


def _as_json(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | dict | list):
        return value
    return json.loads(json.dumps(value, cls=_Encoder))


class _Encoder(DjangoJSONEncoder):
    def default(self, value: Any) -> Any:
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
        before[name], after[name] = was, now
    return before, after


def _password(encoded: str) -> str | None:
    """Return what the history says of a password: that one is set, never which."""
    return "set" if encoded and is_password_usable(encoded) else None


def _teams_of_user() -> Mapping[str, Any]:
    user = Parameter("member", Change._meta.get_field("user_id"))
    memberships = apps.get_model("users", "Membership").objects.filter(user=user)
    ids = memberships.order_by().values(ids=JSONList("team_id"))
    return {"teams": Coalesce(models.Subquery(ids), models.Value([], models.JSONField()))}


_INSERT = CompiledInsert(Change, _teams_of_user)


def record_membership(
    user: Any, user_id: Any, login_id: str, old: Roles, new: Roles, using: str
) -> None:
    """Write a change of a user's teams and roles into the history.

    user: the instance, if there is one: what is added to one that was made in the same transaction
        belongs to its creation.
    old, new: the roles before and after by team id, of the teams in question.
    """
    before, after = _memberships(old, new), _memberships(new, old)
    if before == after:
        return
    creation_id = user and user.creation_id
    creations = Change._default_manager.using(using).filter(pk=creation_id or 0)
    if creation_id and (creation := creations.first()):
        creation.after.setdefault("memberships", {}).update(after)
        creation.teams = sorted({*creation.teams, *new})
        creation.save(using=using, update_fields=["after", "teams"])
        return
    teams = {*_team_ids([user_id], using).get(user_id, ()), *old, *new}
    values = {"memberships": before}, {"memberships": after}
    record_many([unsaved(user_id, login_id, Change.Action.UPDATED, *values, teams)], using)


def _memberships(roles: Roles, others: Roles) -> Values:
    return {str(team): roles.get(team) for team in sorted({*roles, *others})}


def _team_ids(user_ids: Collection[Any], using: str) -> dict[Any, list[int]]:
    memberships = apps.get_model("users", "Membership").objects.using(using)
    found: dict[Any, list[int]] = {}
    for start in range(0, len(user_ids), 500):  # databases bound what a query takes
        asked = list(user_ids)[start : start + 500]
        for user, team in memberships.filter(user__in=asked).values_list("user", "team"):
            found.setdefault(user, []).append(team)
    return found


class _Deletion:
    """What one `delete()` takes with it, from the first `pre_delete` to the last `post_delete`."""

    def __init__(self) -> None:
        self.users: dict[Any, tuple[str, Values]] = {}  # login id and values by user id
        self.roles: dict[Any, dict[Any, str]] = {}  # by user id
        self.left = 0

    @staticmethod
    def of(origin: Any) -> "_Deletion":
        """Return the one that is kept on `origin`: what `delete()` was called of."""
        return vars(origin).setdefault("_users_deletion", _Deletion())

    def write(self, using: str) -> None:
        """Write it into the history, after all rows are gone."""
        changes = []
        others = self.roles.keys() - self.users.keys()
        for user_id, (login_id, before) in self.users.items():
            roles = self.roles.get(user_id, {})
            before["memberships"] = _memberships(roles, {})
            changes.append(unsaved(user_id, login_id, Change.Action.DELETED, before, {}, roles))
        login_ids, teams = _login_ids(others, using), _team_ids(others, using)
        for user_id in sorted(others):
            roles = self.roles[user_id]
            values = (
                {"memberships": _memberships(roles, {})},
                {"memberships": _memberships({}, roles)},
            )
            seen_by = {*roles, *teams.get(user_id, ())}
            login_id = login_ids[user_id]
            changes.append(unsaved(user_id, login_id, Change.Action.UPDATED, *values, seen_by))
        record_many(changes, using)


def _login_ids(user_ids: Collection[Any], using: str) -> dict[Any, str]:
    users = get_user_model()._base_manager.using(using)
    found: dict[Any, str] = {}
    for start in range(0, len(user_ids), 500):
        asked = list(user_ids)[start : start + 500]
        found |= users.filter(pk__in=asked).values_list("pk", get_user_model().USERNAME_FIELD)
    return found


def _user_goes(instance: Any, using: str, origin: Any, **kwargs: Any) -> None:
    deletion = _Deletion.of(origin)
    deletion.left += 1
    model = instance._meta.concrete_model
    fields = _recorded_fields(model, None)
    names = {field.attname for field in fields} | {model.USERNAME_FIELD}
    rows = model._base_manager.using(using).select_for_update().filter(pk=instance.pk).order_by()
    if row := rows.values(*names).first():
        deletion.users[instance.pk] = row[model.USERNAME_FIELD], _recorded_values(fields, row)


def _membership_goes(instance: Any, using: str, origin: Any, **kwargs: Any) -> None:
    deletion = _Deletion.of(origin)
    deletion.left += 1
    deletion.roles.setdefault(instance.user_id, {})[instance.team_id] = instance.role


def _is_gone(instance: Any, using: str, origin: Any, **kwargs: Any) -> None:
    deletion = _Deletion.of(origin)
    deletion.left -= 1
    if deletion.left == 0:
        del origin._users_deletion
        deletion.write(using)


def _members_change(
    action: str, instance: Any, reverse: bool, pk_set: Any, using: str, **kwargs: Any
) -> None:
    """Record what a many-to-many manager adds (`team.members.add()`) or takes away."""
    if action not in ("post_add", "pre_remove", "pre_clear"):
        return
    memberships = apps.get_model("users", "Membership").objects.using(using)
    mine, its = ("user", "team") if reverse else ("team", "user")
    found = memberships.filter(**{mine: instance.pk})
    if pk_set is not None:
        found = found.filter(**{f"{its}__in": pk_set})
    rows = list(found.order_by("user").values_list("user", "user__login_id", "team", "role"))
    for user_id, login_id, team_id, role in rows:
        role_now = {team_id: role}
        old, new = ({}, role_now) if action == "post_add" else (role_now, {})
        record_membership(None, user_id, login_id, old, new, using)


def connect() -> None:
    """Have deletions and many-to-many changes recorded, once the models are there."""
    membership = apps.get_model("users", "Membership")
    models.signals.m2m_changed.connect(_members_change, sender=membership)
    user_models = [m for m in apps.get_models() if m._meta.concrete_model is get_user_model()]
    for model, goes in ((membership, _membership_goes), *((m, _user_goes) for m in user_models)):
        models.signals.pre_delete.connect(goes, sender=model)
        models.signals.post_delete.connect(_is_gone, sender=model)


def record(
    user_id: Any, login_id: str, action: str, before: Values, after: Values, using: str
) -> Any:
    """Write a change of a user into the history, and return its id.

    The teams that see it are those that the user is in now. Who acts is `acting.current()`.
    """
    fields = _described(user_id, login_id, action, before, after)
    change_id = _INSERT.run(using, fields, member=user_id)
    if user_changed.has_listeners():
        transaction.on_commit(lambda: announce([change_id], using), using=using)
    return change_id


def record_many(changes: Iterable["Change"], using: str) -> None:
    """Write changes that `unsaved` has made into the history, by one statement for hundreds."""
    created = Change._default_manager.using(using).bulk_create(changes, batch_size=500)
    if user_changed.has_listeners():
        ids = [change.pk for change in created]
        transaction.on_commit(lambda: announce(ids, using), using=using)


def unsaved(
    user_id: Any,
    login_id: str,
    action: str,
    before: Values,
    after: Values,
    teams: Iterable[int],
) -> Change:
    """Return a change for `record_many`; `teams` are the ids of those that see it."""
    described = _described(user_id, login_id, action, before, after)
    return Change(**described, teams=sorted(set(teams)))


def announce(change_ids: Collection[Any], using: str) -> None:
    """Send `user_changed` for changes that have been committed."""
    for change in Change._default_manager.using(using).filter(pk__in=change_ids).order_by("pk"):
        user_changed.send(sender=Change, change=change)


def _described(user_id: Any, login_id: str, action: str, before: Values, after: Values) -> Values:
    actor = acting.current()
    by_type, by_id, by_name = "", None, ""
    if getattr(actor.by, "pk", None) is None:  # nobody is known, or an anonymous user
        pass
    elif isinstance(actor.by, AbstractBaseUser):
        by_type, by_id, by_name = Change.ByType.USER, actor.by.pk, actor.by.get_username()
    else:
        by_type, by_id, by_name = Change.ByType.ACCESS_TOKEN, actor.by.pk, actor.by.name
    return {
        "at": timezone.now(),
        "user_id": user_id,
        "login_id": login_id,
        "action": action,
        "door": actor.door,
        "by_type": by_type,
        "by_id": by_id,
        "by_name": by_name,
        "trxid": actor.trxid or "",
        "before": before,
        "after": after,
    }
