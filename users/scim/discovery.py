"""What there is to discover (RFC 7644, section 4), and what there is not."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.db import router
from django.http import HttpRequest, HttpResponse
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    ETag,
    Filter,
    ForbiddenException,
    Meta,
    NotFoundException,
    NotImplementedException,
    Patch,
    Resource,
    ServiceProviderConfig,
    Sort,
)

from users.scim import schemas
from users.scim.base import ScimView
from users.scim.lists import MAX_RESULTS, list_response


class ConfigView(ScimView):
    """What the service supports: `/ServiceProviderConfig`. No token is needed."""

    def admit(self, request: HttpRequest) -> None:
        pass

    def get(self, request: HttpRequest) -> HttpResponse:
        config = ServiceProviderConfig(
            patch=Patch(supported=True),
            bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
            filter=Filter(supported=True, max_results=MAX_RESULTS),
            change_password=ChangePassword(supported=False),
            sort=Sort(supported=False),
            etag=ETag(supported=True),
            authentication_schemes=[
                AuthenticationScheme(
                    type=AuthenticationScheme.Type.oauthbearertoken,
                    name="Access token",
                    description="Authorization: Bearer <access token>",
                    primary=True,
                )
            ],
        )
        return self.respond(_located(config, f"{self.root}/ServiceProviderConfig"))


class DescriptionsView(ScimView):
    """A list of descriptions, and each by its id: `/Schemas`, `/ResourceTypes`.

    endpoint: the name in the path.
    described: returns the descriptions by id.
    """

    endpoint = ""
    described: Callable[[Any], Mapping[str, Any]] | None = None

    def get(self, request: HttpRequest, name: str | None = None) -> HttpResponse:
        if "filter" in request.GET:  # RFC 7644, section 4
            raise ForbiddenException(detail="Descriptions cannot be filtered")
        current = schemas.current(router.db_for_read(get_user_model()))
        found = cast("Any", self.described)(current)
        path = f"{self.root}/{self.endpoint}"
        if name is None:
            located = [_located(each, f"{path}/{key}") for key, each in found.items()]
            return self.respond(list_response(located, len(located), 1))
        if name not in found:
            raise NotFoundException(detail="There is no such description")
        return self.respond(_located(found[name], f"{path}/{name}"))


class UnsupportedView(ScimView):
    """What SCIM has and this does not: `/Bulk`, `/Me`, a search of the root."""

    def get(self, request: HttpRequest) -> HttpResponse:
        raise NotImplementedException(detail="This is not supported")

    post = put = patch = delete = get


class NotFoundView(ScimView):
    def get(self, request: HttpRequest) -> HttpResponse:
        raise NotFoundException(detail="There is nothing here")

    post = put = patch = delete = get


def _located(resource: Resource[Any], location: str) -> dict[str, Any]:
    meta = Meta(resource_type=type(resource).__name__, location=location)
    return resource.model_copy(update={"meta": meta}).model_dump()
