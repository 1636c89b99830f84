"""Authentication: from the request's headers to an access token and a team."""

import logging
import re
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, models, router
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from users import tokens
from users.api import status_codes
from users.api.envelope import ApiError
from users.db.compiled import CompiledQuery, Parameter
from users.db.keys import row_id
from users.models import AccessToken, Team

logger = logging.getLogger(__name__)

# RFC 6750, section 2.1, with the scheme's name in any case (RFC 9110, section 11.1).
_BEARER = re.compile(r"bearer +(?P<token>[A-Za-z0-9\-._~+/]+=*)", re.ASCII | re.IGNORECASE)

# A scheme's name. Anything longer is probably a token, which must not be repeated in an answer.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,19}) ", re.ASCII)


def _tokens_with_grant() -> "models.QuerySet[AccessToken]":
    grants = AccessToken.teams.through._default_manager.filter(
        accesstoken=models.OuterRef("pk"), team=Parameter("team", Team._meta.pk)
    )
    granted: Any = models.Subquery(grants.values("team")[:1])
    digest = Parameter("digest", AccessToken._meta.get_field("digest"))
    return AccessToken.objects.annotate(granted_team_id=granted).filter(digest=digest).order_by()


_TOKEN = CompiledQuery(_tokens_with_grant)


class AccessTokenAuthentication(BaseAuthentication):
    """Authenticates with a bearer token: `Authorization: Bearer <access token>` (RFC 6750).

    `request.auth` is then the `AccessToken`, with `granted_team_id`: the team of the `teamid`
    header if the token is granted it, else None. `request.user` is anonymous, because the caller is
    a system.

    Raises `AuthenticationFailed` if the token is malformed, unknown or revoked, and `ApiError` if
    it has expired or the scheme is another one.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, AccessToken]:
        authorization = request.META.get("HTTP_AUTHORIZATION", "")
        if (scheme := _SCHEME.match(authorization)) and scheme[1].lower() != "bearer":
            error = f"Must be 'Bearer <access token>', and has the scheme '{scheme[1]}'."
            raise ApiError(status_codes.INVALID_TOKEN, {"Authorization": [error]})
        match = _BEARER.fullmatch(authorization)
        if match is None or not tokens.is_well_formed(match["token"]):
            raise AuthenticationFailed
        team_id = row_id(request.META.get("HTTP_TEAMID", ""))
        token = self._get_token(tokens.digest(match["token"]), team_id)
        if token is None or token.is_revoked:
            raise AuthenticationFailed
        if token.is_expired:
            challenge = 'Bearer error="invalid_token", error_description="Access Token expired"'
            raise ApiError(status_codes.EXPIRED_TOKEN, headers={"WWW-Authenticate": challenge})
        self._note_use(token)
        return AnonymousUser(), token

    def _get_token(self, digest: str, team_id: int) -> AccessToken | None:
        """Return the token, with `granted_team_id`, by one query."""
        using = router.db_for_read(AccessToken)
        return next(iter(_TOKEN.run(using, digest=digest, team=team_id)), None)

    def _note_use(self, token: AccessToken) -> None:
        # A call does not fail because its use of the token cannot be recorded.
        try:
            token.note_use()
        except DatabaseError:
            logger.warning("Could not record the use of access token %d", token.pk, exc_info=True)
