"""Signals of the app."""

from django.dispatch import Signal

#: Sent after the commit of a change of a user. Arguments: `change`, the `users.models.Change`.
user_changed = Signal()
