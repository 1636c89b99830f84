"""Extensions that describe the calls to drf-spectacular, if that is in INSTALLED_APPS.

The description is derived from the serializers and the status codes, so that it stays true: a
module for each subject, on what all calls have in common (`common`).
"""

from users.api.openapi import attributes, history, list_users, user, users

__all__ = ["attributes", "history", "list_users", "user", "users"]
