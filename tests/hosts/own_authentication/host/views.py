"""The call under tokens that the project signs."""

from django.contrib.auth.models import AnonymousUser
from django.core import signing
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from users.api.views.user import UserView


class SignedAuthentication(BaseAuthentication):
    def authenticate(self, request):
        _scheme, _, token = request.headers["Authorization"].partition(" ")
        try:
            return AnonymousUser(), signing.loads(token, max_age=60)
        except signing.BadSignature as error:
            raise AuthenticationFailed from error


class HostView(UserView):
    authentication_classes = [SignedAuthentication]

    def get_team_id(self, request):
        team = int(request.headers["teamid"])
        return team if team in request.auth["teams"] else None
