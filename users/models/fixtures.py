"""Checks of what `loaddata` saves, which Django does not validate."""

from typing import Any

from django.db import models

from users.attributes import values


class CheckedFixture(models.Model):
    """A model that refuses what a fixture brings and no page could show, or no call change."""

    class Meta:
        abstract = True

    def fixture_errors(self) -> dict[str, str]:
        """Return an error message for each field of a fixture that cannot be saved."""
        stored = {field.name: getattr(self, field.attname) for field in self._meta.concrete_fields}
        errors = {name: values.storage_error(value) for name, value in stored.items()}
        return {name: error for name, error in errors.items() if error}

    def _save_table(self, raw: bool = False, *args: Any) -> Any:
        if raw and (errors := self.fixture_errors()):
            # A `ValueError`: `loaddata` says of which object it is.
            raise ValueError(" ".join(f"{name}: {error}" for name, error in errors.items()))
        django: Any = super()
        return django._save_table(raw, *args)
