"""Teams, and who is in them with which role."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, router, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from users.db.fields import ExactCharField, FoldedField
from users.db.keys import in_parts
from users.models import recording
from users.models.names import UniquelyNamed
from users.models.validators import validate_storable


class TeamQuerySet(models.QuerySet[Any]):
    def delete(self) -> Any:
        """Delete the teams, locked first: who joins one of them meanwhile is seen, or refused."""
        self._for_write = True
        with transaction.atomic(using=self.db, savepoint=False):
            # On a copy without annotations, joins and order, which may not be locked.
            keys = list(self.order_by().values_list("pk", flat=True))
            _lock_teams(keys, self.db)
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class Team(UniquelyNamed):
    name = models.CharField(_("name"), max_length=150, validators=[validate_storable])
    name_key = FoldedField(of="name")
    external_id = ExactCharField(
        _("external id"),
        max_length=255,
        blank=True,
        default="",
        db_default="",
        editable=False,
        validators=[validate_storable],
        help_text=_("What the identity provider calls the team (SCIM's externalId)."),
    )
    made_by_scim = models.BooleanField(
        _("made by SCIM"),
        default=False,
        db_default=False,
        editable=False,
        help_text=_("The identity provider that made the team may delete it."),
    )
    members: models.ManyToManyField = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="teams"
    )

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ("name", "id")
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [
            models.UniqueConstraint(fields=("name_key",), name="users_team_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name

    def delete(self, using: Any = None, keep_parents: bool = False) -> Any:
        """Delete the team, as `TeamQuerySet.delete` does."""
        using = using or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using, savepoint=False):
            _lock_teams([self.pk], using)
            return super().delete(using, keep_parents)

    delete.alters_data = True  # type: ignore[attr-defined]

    def clean(self) -> None:
        super().clean()
        if self.name and not self.name_key:
            raise ValidationError({"name": gettext("Must have a character that can be seen.")})
        others = type(self)._base_manager.exclude(pk=self.pk)
        if others.filter(name_key=self.name_key).exists():
            raise ValidationError({"name": gettext("A team with this name already exists.")})


def _lock_teams(keys: Collection[Any], using: str) -> None:
    rows = Team._base_manager.using(using).select_for_update().order_by("pk")
    for part in in_parts(sorted(keys)):
        list(rows.filter(pk__in=part).values_list("pk"))


class MembershipQuerySet(models.QuerySet[Any]):
    """Memberships, whose changes are recorded in the history, those of many at once too.

    Managers of relations use it (`team.members.add()`, `user.memberships.add()`).
    """

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        self._for_write = True
        memberships = list(objs)
        users = {membership.user_id for membership in memberships}
        with (
            transaction.atomic(using=self.db, savepoint=False),
            recording.recording_memberships(
                users, lambda: stored_rows(self.db, "user", users), self.db
            ),
        ):
            return super().bulk_create(memberships, *args, **kwargs)

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def update(self, **kwargs: Any) -> int:
        self._for_write = True
        keys = list(self.order_by().values_list("pk", flat=True))
        with (
            transaction.atomic(using=self.db, savepoint=False),
            recording.recording_memberships((), lambda: stored_rows(self.db, "pk", keys), self.db),
        ):
            # Those alone whose users are locked, and not what has come to match meanwhile.
            return sum(
                super(MembershipQuerySet, self.filter(pk__in=part)).update(**kwargs)
                for part in in_parts(keys)
            )

    update.alters_data = True  # type: ignore[attr-defined]


class MembershipManager(models.Manager.from_queryset(MembershipQuerySet)):  # type: ignore[misc]
    """Memberships with what their names are made of."""

    def get_queryset(self) -> MembershipQuerySet:
        return super().get_queryset().select_related("user", "team")


def stored_rows(
    using: str, field: str, values: Collection[Any]
) -> Iterator[recording.MembershipRow]:
    """Yield the stored memberships, each as user, team and role, whose `field` is in `values`."""
    for part in in_parts(values):
        rows = Membership.objects.using(using).filter(**{f"{field}__in": part}).order_by()
        yield from rows.values_list("user", "team", "role")


class Membership(models.Model):
    """A user's place in a team, and the role there."""

    class Role(models.TextChoices):
        MANAGER = "Team Manager", _("Team Manager")
        AGENT = "Team Agent", _("Team Agent")
        ANALYST = "Team Analyst", _("Team Analyst")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("user"),
    )
    team = models.ForeignKey(
        Team,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("team"),
        db_index=False,  # the index on team and user serves
    )
    role = models.CharField(_("role"), max_length=12, choices=Role, default=Role.AGENT)

    objects = MembershipQuerySet.as_manager()
    named = MembershipManager()

    class Meta:
        # The admin site names all memberships that go with a team or a user: thousands.
        base_manager_name = "named"
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        # The ids of a team's users, in order, are read from the index alone.
        indexes = [models.Index(fields=("team", "user"), name="users_membership_team_user")]
        constraints = [
            models.UniqueConstraint(
                fields=("user", "team"), name="users_membership_user_team_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=("Team Manager", "Team Agent", "Team Analyst")),
                name="users_membership_role_valid",
            ),
        ]

    def __str__(self) -> str:
        return gettext("%(user)s in %(team)s") % {"user": self.user, "team": self.team}

    def unique_error_message(self, model_class: Any, unique_check: Any) -> ValidationError:
        if set(unique_check) == {"user", "team"}:
            message = gettext("This user is in this team already.")
            return ValidationError(message, code="unique_together")
        return super().unique_error_message(model_class, unique_check)

    def _save_table(
        self,
        raw: bool = False,
        cls: Any = None,
        force_insert: Any = False,
        force_update: bool = False,
        using: Any = None,
        update_fields: Any = None,
    ) -> Any:
        """Save the row, and in the history what it changes; of a fixture too, which is `raw`."""
        django: Any = super()
        with (
            transaction.atomic(using=using, savepoint=False),
            recording.recording_memberships(
                {self.user_id}, lambda: stored_rows(using, "pk", [self.pk]), using
            ),
        ):
            return django._save_table(raw, cls, force_insert, force_update, using, update_fields)
