"""What the contenders that are not ours write into the history."""

from typing import Any


def differences(old: dict[str, Any], new: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what was and what is of the fields in `new`; of objects, by key."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name, value in new.items():
        was = old[name]
        if isinstance(value, dict):
            keys = [key for key in {**was, **value} if was.get(key) != value.get(key)]
            was, value = {k: was.get(k) for k in keys}, {k: value.get(k) for k in keys}
        before[name], after[name] = was, value
    return before, after
