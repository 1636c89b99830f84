"""The history: a row for each change of a user, written in the transaction of the change."""

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connections, models, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users import acting
from users.attributes.values import JSONDecoder
from users.db import batches
from users.db.compiled import CompiledInsert, Parameter, PlannedUpdate, run_updates
from users.db.functions import JSONList, TransactionID
from users.db.keys import in_parts
from users.db.postgresql.rows import insert_rows
from users.signals import user_changed

logger = logging.getLogger(__name__)

Values = dict[str, Any]


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
        IMPORT = "import", _("file import")
        SCIM = "scim", _("directory (SCIM)")
        COMMAND = "command", _("command line")
        CODE = "code", _("other program code")

    class ByType(models.TextChoices):
        ACCESS_TOKEN = "access_token", _("access token")
        USER = "user", _("user")

    # The feed holds back what a transaction that still runs could come before.
    transaction_id = models.BigIntegerField(db_default=TransactionID(), editable=False)
    at = models.DateTimeField(_("time"), default=timezone.now)
    user_id = models.BigIntegerField(_("user id"))
    login_id = models.CharField(_("login id"), max_length=150)
    action = models.CharField(_("action"), max_length=7, choices=Action)
    door = models.CharField(_("made through"), max_length=7, choices=Door)
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
            models.Index(fields=("user_id", "id"), name="users_change_user"),
            models.Index(fields=("transaction_id", "id"), name="users_change_feed"),
            models.Index(fields=("at",), name="users_change_at"),
            models.Index(fields=("login_id", "user_id"), name="users_change_login_id"),
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

    @classmethod
    def locked(cls, using: str) -> "FeedState":
        """Return the row, locked until the transaction ends; it is made if there is none."""
        return cls._default_manager.using(using).select_for_update().get_or_create(pk=1)[0]


def _teams_of_user() -> Mapping[str, Any]:
    user = Parameter("member", Change._meta.get_field("user_id"))
    memberships = apps.get_model("users", "Membership").objects.filter(user=user)
    ids = memberships.order_by().values(ids=JSONList("team_id"))
    return {"teams": Coalesce(models.Subquery(ids), models.Value([], models.JSONField()))}


_INSERT = CompiledInsert(Change, _teams_of_user)


def record(
    user_id: Any,
    login_id: str,
    action: str,
    before: Values,
    after: Values,
    using: str,
    update: PlannedUpdate | None = None,
) -> Any:
    """Write a change of a user into the history, and return its id.

    The teams that see it are those that the user is in now. Who acts is `acting.current()`.

    update: of the user's row, to be run with it.
    """
    batches.finish(record_updates, using)  # of two changes of a user, the later has the greater id
    fields = _described(user_id, login_id, action, before, after)
    change_id = _INSERT.run(using, fields, update, member=user_id)
    if user_changed.has_listeners():
        transaction.on_commit(lambda: announce([change_id], using), using=using)
    return change_id


def record_update(
    user_id: Any,
    login_id: str,
    before: Values,
    after: Values,
    using: str,
    update: PlannedUpdate | None = None,
) -> None:
    """Write an update of a user into the history: with others, if it is one of a batch.

    update: of the user's row, to be run as well, or with others.
    """
    action = Change.Action.UPDATED
    if not batches.is_open(using):
        record(user_id, login_id, action, before, after, using, update)
        return
    if update is not None:
        if batches.holds_updates(using):
            batches.gather(using, run_updates, update)
        else:
            update.run()
    change = Change(**_described(user_id, login_id, action, before, after))
    batches.gather(using, record_updates, change)


def record_updates(changes: list["Change"], using: str) -> None:
    """Write updates of many users into the history, to be seen by the teams that they are in."""
    teams = team_ids({change.user_id for change in changes}, using)
    for change in changes:
        change.teams = sorted(teams.get(change.user_id, ()))
    _insert(changes, using)


def record_many(changes: Iterable["Change"], using: str) -> None:
    """Write changes that `unsaved` has made into the history, by one statement for hundreds."""
    batches.finish(record_updates, using)
    _insert(changes, using)


def team_ids(user_ids: Collection[Any], using: str) -> dict[Any, list[int]]:
    """Return the ids of the teams that users are in, by user id."""
    memberships = apps.get_model("users", "Membership").objects.using(using)
    found: dict[Any, list[int]] = {}
    for ids in in_parts(user_ids):
        for user, team in memberships.filter(user__in=ids).values_list("user", "team"):
            found.setdefault(user, []).append(team)
    return found


def _insert(changes: Iterable["Change"], using: str) -> None:
    created = list(changes)
    if created and connections[using].vendor == "postgresql":
        insert_rows(created, using)
    else:
        Change._default_manager.using(using).bulk_create(created, batch_size=1000)
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
        for receiver, result in user_changed.send_robust(sender=Change, change=change):
            if isinstance(result, Exception):  # the change is stored all the same
                logger.error("%r failed for change %d", receiver, change.pk, exc_info=result)


def _described(user_id: Any, login_id: str, action: str, before: Values, after: Values) -> Values:
    actor = acting.current()
    by_type, by_id, by_name = "", None, ""
    if getattr(actor.by, "pk", None) is None:  # nobody is known, or an anonymous user
        pass
    elif isinstance(actor.by, AbstractBaseUser):
        by_type, by_id, by_name = Change.ByType.USER.value, actor.by.pk, actor.by.get_username()
    else:
        by_type, by_id, by_name = (
            Change.ByType.ACCESS_TOKEN.value,
            actor.by.pk,
            str(getattr(actor.by, "name", "")),
        )
    return {
        "at": timezone.now(),
        "user_id": user_id,
        "login_id": login_id,
        "action": str(action),  # drivers take longer for an enumeration
        "door": actor.door,
        "by_type": by_type,
        "by_id": by_id,
        "by_name": by_name,
        "trxid": actor.trxid or "",
        "before": before,
        "after": after,
    }
