"""Creates the groups of the admin site (`--help`)."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from users.groups import GROUPS
from users.models import AccessToken, AttributeDefinition, Change, Membership, Team

#: The models of the permissions; the user's may be a project's own.
MODELS: dict[str, Any] = {
    "user": get_user_model(),
    "team": Team,
    "membership": Membership,
    "attributedefinition": AttributeDefinition,
    "accesstoken": AccessToken,
    "change": Change,
}


class Command(BaseCommand):
    help = (
        f"Creates the groups {', '.join(GROUPS)} with the permissions that their members need in "
        "the admin site. Run again, it adds permissions that are missing, and takes none away."
    )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        for name, rights in GROUPS.items():
            group, is_new = Group.objects.get_or_create(name=name)
            wanted = [
                permission(MODELS[model], action)
                for model, actions in rights.items()
                for action in actions
            ]
            missing = set(wanted) - set(group.permissions.all())
            group.permissions.add(*missing)
            if options["verbosity"]:
                state = "created" if is_new else "was there already"
                self.stdout.write(f"{name}: {state}; permissions added: {len(missing)}.")


def permission(model: Any, action: str) -> Permission:
    """Return the permission to do `action` with `model`."""
    codename = f"{action}_{model._meta.model_name}"
    content_type = ContentType.objects.get_for_model(model)
    try:
        return Permission.objects.get(content_type=content_type, codename=codename)
    except Permission.DoesNotExist:
        raise CommandError(
            f"The permission {codename} is not there yet: run manage.py migrate first."
        ) from None
