"""Access tokens: made, granted teams, rotated and revoked. Systems authenticate with them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, router, transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from users import tokens
from users.models.teams import Team
from users.models.validators import validate_storable


class AccessTokenManager(models.Manager["AccessToken"]):
    def issue(
        self,
        name: str,
        teams: Iterable[Team],
        expires_at: datetime | None = None,
        *,
        read_only: bool = False,
        rate_limit: int | None = None,
        scim_team: Team | None = None,
    ) -> tuple["AccessToken", str]:
        """Make an access token that is granted `teams` and runs out at `expires_at` (None: never).

        read_only: if True, the token is refused in calls that write.
        rate_limit: how many calls a day it may make (None: as many as the deployment has it).
        scim_team: the team that users join whom an identity provider makes; it is granted, too.

        Returns (the stored token, the secret that the caller sends). The secret is not stored:
        this is the one time that it can be shown.
        """
        secret = tokens.new_token()
        using = self._db or router.db_for_write(self.model)
        with transaction.atomic(using=using):
            token = self.using(using).create(
                name=name,
                hint=tokens.hint(secret),
                digest=tokens.digest(secret),
                expires_at=expires_at,
                read_only=read_only,
                rate_limit=rate_limit,
                scim_team=scim_team,
            )
            token.teams.set(teams)
            token.grant_scim_team()
        return token, secret


class AccessToken(models.Model):
    """What a system that calls the API shows to be let in, and the teams that it may act for."""

    MAX_DAYS = 36_500
    MAX_RATE_LIMIT = 1_000_000_000

    # How exact the note of the last use is: a write for each call would cost more than it tells.
    LAST_USED_PRECISION = timedelta(minutes=1)

    name = models.CharField(_("name"), max_length=150, validators=[validate_storable])
    teams = models.ManyToManyField(
        Team,
        related_name="access_tokens",
        blank=True,
        verbose_name=_("teams"),
        help_text=_("The teams that the token may act for."),
    )
    read_only = models.BooleanField(
        _("read only"), default=False, help_text=_("The token may read, but change nothing.")
    )
    rate_limit = models.PositiveIntegerField(
        _("calls a day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_RATE_LIMIT)],
        help_text=_("How many calls the token may make in a day (UTC). Empty: the default."),
    )
    scim_team = models.ForeignKey(
        Team,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="scim_access_tokens",
        verbose_name=_("SCIM team"),
        help_text=_(
            "For an identity provider (SCIM): the team that the users join whom it makes. The "
            "token is granted it, too. Empty: the token is none of an identity provider's."
        ),
    )
    hint = models.CharField(
        _("ends in"), max_length=tokens.HINT_LENGTH, blank=True, default="", editable=False
    )
    digest = models.CharField(
        max_length=64, unique=True, default=tokens.unusable_digest, editable=False
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(
        _("expires at"), null=True, blank=True, help_text=_("Empty: never.")
    )
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)

    objects = AccessTokenManager()

    class Meta:
        ordering = ("name", "id")
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")

    def __str__(self) -> str:
        # The name alone is not enough: a rotated token's successor has the same.
        return f"{self.name} (…{self.hint})" if self.hint else self.name

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    def grant_scim_team(self) -> None:
        """Grant the token its SCIM team, if it has one."""
        if self.scim_team_id is not None:
            self.teams.add(self.scim_team_id)

    def revoke(self) -> None:
        """Let nobody in with the token any more."""
        if not self.is_revoked:
            self.revoked_at = timezone.now()
            self.save(update_fields=["revoked_at"])

    def rotate(self, grace: timedelta) -> tuple["AccessToken", str]:
        """Make a token with the same name, rights and lifetime; this one runs out after `grace`.

        Returns what `issue` returns. Raises `ValidationError` where the token has been revoked, or
        rotated, since it was read.
        """
        now = timezone.now()
        using = router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            token = type(self).objects.using(using).select_for_update().get(pk=self.pk)
            if token.is_revoked or token.expires_at != self.expires_at:
                raise ValidationError(
                    gettext("The access token “%s” was revoked or rotated meanwhile.") % token
                )
            expires_at = now + (token.expires_at - token.created_at) if token.expires_at else None
            issued = type(self).objects.issue(
                token.name,
                token.teams.all(),
                expires_at,
                read_only=token.read_only,
                rate_limit=token.rate_limit,
                scim_team=token.scim_team,
            )
            self.expires_at = min(filter(None, (token.expires_at, now + grace)))
            self.save(update_fields=["expires_at"])
        return issued

    def note_use(self) -> None:
        """Store that the token is used now, unless a use within the last minute is stored."""
        now = timezone.now()
        before = now - self.LAST_USED_PRECISION
        if self.last_used_at is None or self.last_used_at <= before:
            # The database checks it again: of many workers that come here at once, one writes.
            unnoted = models.Q(last_used_at=None) | models.Q(last_used_at__lte=before)
            with transaction.atomic(using=router.db_for_write(type(self), instance=self)):
                type(self).objects.filter(unnoted, pk=self.pk).update(last_used_at=now)
