"""Teams, and who is in them with which role."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from users.db.fields import FoldedField
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
