"""The pages of groups, which only superusers can change."""

from typing import Any

from django.contrib.auth import admin as auth_admin
from django.http import HttpRequest


class GroupAdmin(auth_admin.GroupAdmin):
    """Groups, which only superusers can change, because they grant permissions."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser
