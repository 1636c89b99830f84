"""Teams, and who is in them with which role."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models, router, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from users.db.fields import FoldedField
from users.models import recording
from users.models.names import UniquelyNamed
from users.models.validators import validate_storable


class Team(UniquelyNamed):
    name = models.CharField(_("name"), max_length=150, validators=[validate_storable])
    name_key = FoldedField(of="name")
    members: models.ManyToManyField = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="teams"
    )

    class Meta:
        ordering = ("name", "id")
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [
            models.UniqueConstraint(fields=("name_key",), name="users_team_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.name and not self.name_key:
            raise ValidationError({"name": gettext("Must have a character that can be seen.")})
        others = type(self)._base_manager.exclude(pk=self.pk)
        if others.filter(name_key=self.name_key).exists():
            raise ValidationError({"name": gettext("A team with this name already exists.")})


class MembershipManager(models.Manager["Membership"]):
    """Memberships with what their names are made of."""

    def get_queryset(self) -> "models.QuerySet[Membership]":
        return super().get_queryset().select_related("user", "team")


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
        Team, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("team")
    )
    role = models.CharField(_("role"), max_length=12, choices=Role, default=Role.AGENT)

    objects = models.Manager()
    named = MembershipManager()

    class Meta:
        # The admin site names all memberships that go with a team or a user: thousands.
        base_manager_name = "named"
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
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

    def save(self, **kwargs: Any) -> None:
        using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using, savepoint=False):
            super().save(**kwargs)

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
        # Of two changes of one user, the lock makes one the later: it is read after that.
        user_ids = {self.user_id, *(self._stored(using) or ())[:1]}
        users = get_user_model()._base_manager.using(using).select_for_update().order_by("pk")
        login_ids = dict(users.filter(pk__in=user_ids).values_list("pk", "login_id"))
        old = self._stored(using)
        django: Any = super()
        result = django._save_table(raw, cls, force_insert, force_update, using, update_fields)
        new = self._stored(using)
        for user_id in sorted(login_ids):
            was, now = ({row[1]: row[2]} if row and row[0] == user_id else {} for row in (old, new))
            recording.record_membership(user_id, login_ids[user_id], was, now, using)
        return result

    def _stored(self, using: str) -> Any:
        """Return the user, team and role that the row holds; None where there is no row."""
        rows = Membership.objects.using(using).filter(pk=self.pk)
        return rows.values_list("user", "team", "role").first()
