"""Inviting users: a mail with a link to set the first password.

The pages are in `users.invitation_urls`. Mails are sent by Django's mail settings, in the language
of who sends or asks for them, with links that begin with the setting `PUBLIC_URL`, never with a
request's Host. They contain no text that somebody entered, such as a name, which could be used to
send spam.
"""

import logging
from collections.abc import Iterable
from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.db import router, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import get_language, gettext

from users import background
from users.models import AbstractUser, Invitation
from users.names import fold

logger = logging.getLogger(__name__)


class TokenGenerator(PasswordResetTokenGenerator):
    """Makes the tokens of the links.

    A token ends after `PASSWORD_RESET_TIMEOUT`, and when the password or the email changes.
    """

    key_salt = "users.invitations.TokenGenerator"


token_generator = TokenGenerator()


def error() -> str | None:
    """Return why this deployment sends no invitations, or None if it does."""
    if not getattr(settings, "PUBLIC_URL", ""):
        return gettext("This deployment sends no mail: PUBLIC_URL is not set.")
    try:
        reverse("invitations:ask")
    except NoReverseMatch:
        return gettext("This deployment sends no invitations: their pages are not in its URLs.")
    return None


def invite(*users: AbstractUser) -> None:
    """Store that `users` are invited, and send their mails after the commit.

    To be called in the transaction that makes or locks them, if `error()` is None. Nobody waits for
    the mail server, and if it fails, that is logged. No mail is sent to a user who has a password,
    is inactive, or is an administrator (`invitable`).
    """
    using = router.db_for_write(get_user_model())
    ids = [user.pk for user in users]
    Invitation._base_manager.using(using).bulk_create(
        [Invitation(user_id=user_id) for user_id in ids], batch_size=500, ignore_conflicts=True
    )
    # Robust: the users are stored, even if the process ends and takes no more calls.
    language = _language()
    transaction.on_commit(lambda: background.run(_send, ids, language), using=using, robust=True)


def ask_again(email: str) -> None:
    """Send another link to the invited user with this email, if there is one.

    The caller waits as long whether there is one or not. A user gets a limited number of links
    (`users.models.invitations`).
    """
    background.run(_send_again, email, _language())


def _language() -> str:
    """Return the language of the operator or the page; the project's, where a call is made."""
    return get_language() or settings.LANGUAGE_CODE


def invitable(users: QuerySet[Any]) -> QuerySet[Any]:
    """Return those of `users` who may be invited: active, Customer Care, without a password."""
    no_password = Q(password="") | Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    return users.filter(
        no_password,
        status=AbstractUser.Status.ACTIVE,
        role_type=AbstractUser.RoleType.CUSTOMER_CARE,
    )


def invited() -> QuerySet[Any]:
    """Return the users who were invited, and may still set their first password."""
    invitations = Invitation._base_manager.filter(user=OuterRef("pk"))
    # Where they are written: a replica may not know yet who has just been invited.
    users = get_user_model()._default_manager.using(router.db_for_write(get_user_model()))
    return invitable(users.filter(Exists(invitations)))


def _send_again(email: str, language: str) -> None:
    user = invited().select_related("invitation").filter(email_key=fold(email)).first()
    if user is None:
        return
    if user.invitation.count_link():
        _mail(user, language)
    else:
        logger.warning("User %d asked for too many links", user.pk)


def _send(user_ids: Iterable[Any], language: str) -> None:
    for user_id in user_ids:
        # Read when it is its turn: the user may have changed meanwhile.
        user = invited().filter(pk=user_id).first()
        if user is not None:
            _mail(user, language)


def _mail(user: Any, language: str) -> None:
    try:
        _message(user, language).send()
    except Exception as failure:
        # Without its message, which names the address.
        logger.error("The invitation of user %d was not sent: %s", user.pk, _reason(failure))
    else:
        logger.info("An invitation was sent to user %d", user.pk)


def _reason(failure: Exception) -> str:
    """Return what is known of a failure, without personal data."""
    codes = [getattr(failure, "smtp_code", None), getattr(failure, "strerror", None)]
    if isinstance(failure, SMTPRecipientsRefused):
        codes += [code for code, _text in failure.recipients.values()]
    return " ".join([type(failure).__name__, *(str(code) for code in codes if code)])


def _message(user: Any, language: str) -> EmailMultiAlternatives:
    """Return the mail to `user`. Raises `ValidationError` if the email is invalid."""
    validate_email(user.email_id)
    with translation.override(language):
        context = {
            "site": urlsplit(settings.PUBLIC_URL).netloc,
            "link": link(user),
            "ask_link": _address("invitations:ask"),
            "expires_at": timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
        }
        message = EmailMultiAlternatives(
            render_to_string("users/invitations/mail_subject.txt", context).strip(),
            render_to_string("users/invitations/mail.txt", context),
            to=[user.email_id],
            headers={"Auto-Submitted": "auto-generated"},  # RFC 3834: no "out of office" replies
        )
        message.attach_alternative(
            render_to_string("users/invitations/mail.html", context), "text/html"
        )
    return message


def link(user: Any) -> str:
    """Return the link by which `user` sets the password."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    token = token_generator.make_token(user)
    return _address("invitations:link", uid, token)


def _address(name: str, *arguments: str) -> str:
    # Outside of requests there is no script prefix: a path that the project is under is a part
    # of PUBLIC_URL.
    return settings.PUBLIC_URL.rstrip("/") + reverse(name, args=arguments)
