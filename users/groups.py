"""The groups of the admin site, and what the members of each may do there."""

from collections.abc import Mapping

#: The permissions of each group, by its name: of this app's models, by model name.
GROUPS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Operators": {
        "user": ("view", "add", "change", "import", "export"),
        "team": ("view", "add", "change", "delete"),
        "membership": ("view", "add", "change", "delete"),
        "attributedefinition": ("view", "add", "change"),
        "change": ("view",),
    },
    "Team managers": {
        "user": ("view", "change", "import", "export"),
        "team": ("view",),
        "membership": ("view", "add", "change", "delete"),
        "attributedefinition": ("view",),
        "change": ("view",),
    },
    "Auditors": {
        "user": ("view",),
        "team": ("view",),
        "membership": ("view",),
        "attributedefinition": ("view",),
        "accesstoken": ("view",),
        "change": ("view",),
    },
}
