"""SCIM's URLs. To mount them: `path("scim/v2/", include("users.scim.urls"))`."""

from django.urls import re_path

from users.scim.discovery import ConfigView, DescriptionsView, NotFoundView, UnsupportedView
from users.scim.group_views import GroupSearchView, GroupsView, GroupView
from users.scim.schemas import Schemas
from users.scim.user_views import UserSearchView, UsersView, UserView

app_name = "scim"

_RESOURCE_TYPES = DescriptionsView.as_view(
    endpoint="ResourceTypes", described=Schemas.resource_types
)
_SCHEMAS = DescriptionsView.as_view(endpoint="Schemas", described=Schemas.descriptions)

# Each with or without a slash at its end.
urlpatterns = [
    re_path(r"^$", UnsupportedView.as_view(), name="root"),
    re_path(r"^(?:\.search|Bulk|Me)/?$", UnsupportedView.as_view()),
    re_path(r"^ServiceProviderConfig/?$", ConfigView.as_view(), name="config"),
    re_path(r"^ResourceTypes/?$", _RESOURCE_TYPES, name="resource-types"),
    re_path(r"^ResourceTypes/(?P<name>[^/]+)/?$", _RESOURCE_TYPES),
    re_path(r"^Schemas/?$", _SCHEMAS, name="schemas"),
    re_path(r"^Schemas/(?P<name>[^/]+)/?$", _SCHEMAS),
    re_path(r"^Users/?$", UsersView.as_view(), name="users"),
    re_path(r"^Users/\.search/?$", UserSearchView.as_view()),
    re_path(r"^Users/(?P<user_id>[^/]+)/?$", UserView.as_view(), name="user"),
    re_path(r"^Groups/?$", GroupsView.as_view(), name="groups"),
    re_path(r"^Groups/\.search/?$", GroupSearchView.as_view()),
    re_path(r"^Groups/(?P<group_id>[^/]+)/?$", GroupView.as_view(), name="group"),
    re_path(r"^[\s\S]*$", NotFoundView.as_view()),
]
