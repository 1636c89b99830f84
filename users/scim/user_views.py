"""`/Users`: lists, creates, reads, changes and ends users."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, router
from django.http import HttpRequest, HttpResponse
from scim2_models import ForbiddenException, NotFoundException, UniquenessException

from users import changes
from users.attributes.rules import rules_by_field
from users.models import AbstractUser, Membership, Team
from users.scim import schemas, users
from users.scim.base import ScimView
from users.scim.filters import USERS, Filter, key_of
from users.scim.lists import Search, projection
from users.scim.schemas import USER, Schemas

T = TypeVar("T")


class NameTakenError(Exception):
    """The user could not be saved, for another one has a name of the user's."""

    def __init__(self, user: AbstractUser) -> None:
        super().__init__(user)
        self.user = user


class UserBaseView(ScimView):
    """What all views of users share."""

    def store(self, work: Callable[[], T], using: str) -> T:
        """Besides, raise `UniquenessException` where a name is taken."""
        for is_last in (False, True):
            try:
                return super().store(work, using)
            except NameTakenError as error:
                if taken := changes.taken_names(error.user, using):
                    raise UniquenessException(detail=users.taken(taken)) from error
                if not Team._base_manager.using(using).filter(pk=self.scim_team_id).exists():
                    raise ForbiddenException(detail="The access token has no SCIM team") from error
                if is_last:  # else it is free by now
                    raise
        raise AssertionError("unreachable")

    def validate(
        self, user: AbstractUser, fields: Mapping[str, Any], shapes: Schemas, *, replace: bool
    ) -> dict[str, Any]:
        """Return what changes of the locked user. Raises `SCIMException`."""
        try:
            return changes.validate(
                user,
                users.present(fields),
                rules_by_field(shapes.definitions),
                replace=replace,
                found=users.missing(fields),
                fields=users.FIELDS,
            )
        except changes.InvalidChangeError as error:
            raise users.invalid(error) from error

    def represent(self, user: AbstractUser, shapes: Schemas, using: str) -> dict[str, Any]:
        groups = users.groups_of([user], self.group_ids, using)
        return users.represent(user, groups.get(user.pk, ()), shapes, self.root)

    def answer(self, shown: dict[str, Any], status: int = 200) -> HttpResponse:
        meta = shown["meta"]
        headers = {"ETag": meta["version"], "Content-Location": meta["location"]}
        if status == 201:
            headers["Location"] = meta["location"]
        body = projection(self.request.GET).of(shown)
        return self.respond(body, status, headers)


class UserListView(UserBaseView):
    def search(self, search: Search) -> HttpResponse:
        using = router.db_for_read(get_user_model())
        visible = users.visible(self.team_ids, using)
        found, total = search.page(visible, Filter(USER, USERS, using))
        shapes = schemas.current(using)
        groups = users.groups_of(found, self.group_ids, using)
        shown = [
            users.represent(user, groups.get(user.pk, ()), shapes, self.root) for user in found
        ]
        return self.respond(search.answer(shown, total))


class UserSearchView(UserListView):
    reading_methods = ("POST",)

    def post(self, request: HttpRequest) -> HttpResponse:
        return self.search(Search(self.read_body()))


class UsersView(UserListView):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self.search(Search.of_query(request.GET))

    def post(self, request: HttpRequest) -> HttpResponse:
        using = router.db_for_write(get_user_model())
        body = self.read_body()
        shapes = schemas.current(using)
        fields = users.wanted(users.read(body, shapes), shapes)

        def work() -> dict[str, Any]:
            user = self.validated(fields, shapes)
            if ended := self.take_back(user.login_key, fields, shapes, using):
                return self.represent(ended, shapes, using)
            try:
                changes.create(user, {self.scim_team_id: Membership.Role.AGENT.value}, using)
            except IntegrityError as error:
                raise NameTakenError(user) from error
            return self.represent(user, shapes, using)

        return self.answer(self.store(work, using), 201)

    def validated(self, fields: Mapping[str, Any], shapes: Schemas) -> AbstractUser:
        """Return the new user, not yet saved. Raises `SCIMException`."""
        rules = rules_by_field(shapes.definitions)
        try:
            return changes.new_user(
                users.present(fields), rules, fields=users.FIELDS, found=users.missing(fields)
            )
        except changes.InvalidChangeError as error:
            raise users.invalid(error) from error

    def take_back(
        self, login_key: str, fields: Mapping[str, Any], shapes: Schemas, using: str
    ) -> AbstractUser | None:
        """Take back the user with this name, if a token of the same SCIM team ended that one.

        Raises `SCIMException`.
        """
        ended = get_user_model().objects.using(using).select_for_update()
        user = ended.filter(
            login_key=login_key,
            ended_by_scim_team=self.scim_team_id,
            role_type=AbstractUser.RoleType.CUSTOMER_CARE,
            is_superuser=False,
        ).first()
        memberships = Membership.objects.using(using)
        if user is None or memberships.filter(user=user.pk).exists():
            return None
        changed = self.validate(user, fields, shapes, replace=True)
        changed |= {"ended_by_scim_team": None, "password": make_password(None)}
        try:
            memberships.create(
                user_id=user.pk, team_id=self.scim_team_id, role=Membership.Role.AGENT
            )
            changes.save(user, changed)
        except IntegrityError as error:
            raise NameTakenError(user) from error
        return user


class UserView(UserBaseView):
    def get(self, request: HttpRequest, user_id: str) -> HttpResponse:
        using = router.db_for_read(get_user_model())
        user = users.visible(self.team_ids, using).filter(pk=key_of(user_id)).first()
        if user is None:
            raise not_found()
        shown = self.represent(user, schemas.current(using), using)
        tag = shown["meta"]["version"]
        if self.conditions.is_known(tag):
            return HttpResponse(status=304, headers={"ETag": tag})
        return self.answer(shown)

    def put(self, request: HttpRequest, user_id: str) -> HttpResponse:
        body = self.read_body()
        return self.change(user_id, lambda shown, shapes: users.read(body, shapes))

    def patch(self, request: HttpRequest, user_id: str) -> HttpResponse:
        body = self.read_body()
        return self.change(user_id, lambda shown, shapes: users.patched(shown, body, shapes))

    def change(
        self, user_id: str, resource: Callable[[dict[str, Any], Schemas], Any]
    ) -> HttpResponse:
        """Change the user to what `resource` returns, given the user as it is shown."""
        using = router.db_for_write(get_user_model())

        def work() -> dict[str, Any]:
            user = self.locked(user_id, using)
            shapes = schemas.current(using)
            shown = self.represent(user, shapes, using)
            self.conditions.require(lambda: shown["meta"]["version"])
            fields = users.wanted(resource(shown, shapes), shapes)
            merged = users.merge_patch(user, fields, shapes)
            changed = self.validate(user, merged, shapes, replace=False)
            try:
                changes.save(user, changed)
            except IntegrityError as error:
                raise NameTakenError(user) from error
            return self.represent(user, shapes, using) if changed else shown

        return self.answer(self.store(work, using))

    def delete(self, request: HttpRequest, user_id: str) -> HttpResponse:
        using = router.db_for_write(get_user_model())

        def work() -> None:
            user = self.locked(user_id, using)
            shown = self.represent(user, schemas.current(using), using)
            self.conditions.require(lambda: shown["meta"]["version"])
            memberships = Membership.objects.using(using).filter(user=user.pk)
            ended: dict[str, Any] = {"ended_by_scim_team": self.scim_team_id}
            if not memberships.exclude(team__in=self.team_ids).exists():
                ended["status"] = AbstractUser.Status.INACTIVE.value
            # Before the user leaves the teams, which then see it in the feed.
            changes.save(user, ended)
            memberships.filter(team__in=self.team_ids).delete()

        self.store(work, using)
        return self.respond(None, 204)

    def locked(self, user_id: str, using: str) -> AbstractUser:
        """Return the user, locked, to be changed. Raises `SCIMException`."""
        key = key_of(user_id)
        visible = users.visible(self.team_ids, using).filter(pk=key)
        if not visible.exists():
            raise not_found()
        # Not of `visible`: after a wait for the lock, the memberships are asked anew.
        locked = get_user_model().objects.using(using).select_for_update()
        user = locked.filter(pk=key).first()
        if user is None or not visible.exists():
            raise not_found()
        if user.is_superuser or user.role_type == AbstractUser.RoleType.ADMINISTRATIVE:
            raise ForbiddenException(detail="An Administrative user is read-only")
        return user


def not_found() -> NotFoundException:
    return NotFoundException(detail="There is no such user")
