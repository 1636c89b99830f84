"""Creating a user: `POST /api/users`."""

from typing import Any, cast

from django.contrib.auth import get_user_model
from django.db import DatabaseError, IntegrityError, OperationalError, router
from django.utils.encoding import escape_uri_path
from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request

from users import changes, invitations
from users.api import status_codes
from users.api.body import Body, Parameters
from users.api.envelope import ApiError, EnvelopeResponse
from users.api.privileges import read_privileges
from users.api.serializers import invalid
from users.api.views.base import ApiView, team_not_found
from users.api.views.user import user_response
from users.attributes.rules import KINDS, Rules, rules_by_field
from users.attributes.types import Boolean
from users.db import transactions
from users.db.compiled import CompiledQuery
from users.db.errors import is_deadlock
from users.models import AbstractUser, AttributeDefinition, Membership, Team

_DEFINITIONS = CompiledQuery(AttributeDefinition._base_manager.order_by)


class _OutdatedError(DatabaseError):
    """The creation was refused for what others did at the same moment: validate it again.

    A team was deleted after it was found to be granted, or a name that was taken is free by now.
    """


class CreateView(ApiView):
    """Creates a Customer Care user."""

    # No report of an error shows a variable from here on: many hold the password.
    @sensitive_variables()
    def post(self, request: Request) -> EnvelopeResponse:
        using = router.db_for_write(get_user_model())
        parameters = Body(request).parse()
        try:
            user = self.store(parameters, using)
        except _OutdatedError:
            user = self.store(parameters, using)
        response = user_response(status_codes.USER_CREATED, user)
        response["Location"] = f"{escape_uri_path(request.path.rstrip('/'))}/{user.pk}"
        return response

    def store(self, parameters: Parameters, using: str) -> AbstractUser:
        """Validate the parameters, save the new user, and return it.

        Raises `ApiError`, and `_OutdatedError`.
        """
        user, roles = self.validate(parameters, using)
        try:
            with transactions.atomic(using):
                changes.create(user, roles, using)
                if parameters.get("invite"):
                    invitations.invite(user)
        except IntegrityError as error:
            if taken := changes.taken_names(user, using):
                raise ApiError(status_codes.USER_EXISTS, taken) from error
            if not Team._base_manager.using(using).filter(pk=cast("int", self.team_id)).exists():
                raise team_not_found() from error
            raise _OutdatedError from error
        except OperationalError as error:
            if is_deadlock(error):  # MariaDB: of several that make one name, while it is freed
                raise _OutdatedError from error
            raise
        return user

    def validate(self, parameters: Parameters, using: str) -> tuple[AbstractUser, dict[int, str]]:
        """Return the new user, not yet saved, and the roles by team id.

        Raises `ApiError` with all errors: 3115, 3107, 3110.
        """
        team_id = cast("int", self.team_id)
        wanted: dict[str, Any] = dict(parameters)
        found = dict(parameters.errors)
        roles = {team_id: Membership.Role.AGENT.value}
        if "privileges" in wanted:
            roles, errors = read_privileges(
                wanted.pop("privileges"), team_id, lambda: self.get_granted_team_ids(self.request)
            )
            if errors := [*found.get("privileges", ()), *errors]:
                found["privileges"] = errors
        if "invite" in wanted and (error := _invite_error(wanted.pop("invite"), wanted)):
            found["invite"] = [*found.get("invite", ()), error]
        try:
            user = changes.new_user(wanted, _rules(wanted, using), found=found)
        except changes.InvalidChangeError as error:
            raise invalid(parameters, error.errors) from error
        return user, roles


def _invite_error(value: object, wanted: dict[str, Any]) -> str | None:
    """Return why the new user with the parameters `wanted` is not invited."""
    if error := Boolean().error(value):
        return error
    if value is False:
        return None
    if "password" in wanted:
        return "Must not be true where there is a password: the user sets it."
    if wanted.get("status") == AbstractUser.Status.INACTIVE:
        return "Must not be true for an inactive user."
    return invitations.error()


def _rules(wanted: dict[str, Any], using: str) -> dict[str, Rules]:
    """Return the rules for attributes; the definitions are read only if there are any."""
    given = any(wanted.get(field) for field in KINDS)
    return rules_by_field(_DEFINITIONS.run(using) if given else ())
