"""Invitations: who may set a first password by a link sent by mail."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

#: How many further links a user can ask for, in which time.
LINKS = 5
LINKS_IN = timedelta(days=1)


class Invitation(models.Model):
    """A user who was invited.

    links, links_since: how many further links the user asked for in the time that began then.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="invitation",
    )
    links = models.PositiveSmallIntegerField(default=0, editable=False)
    links_since = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        default_permissions = ()
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return str(self.user_id)

    def count_link(self) -> bool:
        """Count another link that the user asked for; return False if that would be one too many.

        It reads and writes in one statement, so that simultaneous requests are counted as well.
        """
        now = timezone.now()
        row = type(self)._base_manager.filter(pk=self.pk)
        counted = row.filter(links_since__gt=now - LINKS_IN, links__lt=LINKS)
        return bool(
            counted.update(links=models.F("links") + 1)
            or row.filter(links_since__lte=now - LINKS_IN).update(links=1, links_since=now)
        )
