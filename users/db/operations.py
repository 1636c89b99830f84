"""Migration operations."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.backends.utils import truncate_name
from django.db.migrations.operations.base import Operation


class LeaveRoomForUpdates(Operation):
    """Set the fill factor of a model's table on PostgreSQL, so that updates touch no index.

    A new version of a row that fits on the same page as the old one needs no new index entries
    (PostgreSQL's documentation, "Heap-Only Tuples"). With a million users (`python -m
    tests.benchmarks --users 1000000`), the update call is a tenth faster.
    Existing rows get room as they are updated.

    model_name: a model of the migration's app. A project with its own user model adds the operation
        to one of its own migrations.
    """

    reduces_to_sql = True
    reversible = True
    _FILL_FACTOR = 85  # per cent: leaves room to update one row in seven at a time

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Do nothing: the fill factor is not part of a model's state."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._alter(app_label, schema_editor, to_state, f"SET (fillfactor = {self._FILL_FACTOR})")

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._alter(app_label, schema_editor, to_state, "RESET (fillfactor)")

    def _alter(self, app_label: str, schema_editor: Any, state: Any, change: str) -> None:
        model = state.apps.get_model(app_label, self.model_name)
        connection = schema_editor.connection
        if connection.vendor == "postgresql" and self.allow_migrate_model(connection.alias, model):
            table = schema_editor.quote_name(model._meta.db_table)
            schema_editor.execute(f"ALTER TABLE {table} {change}")

    def describe(self) -> str:
        return f"Leave room for updates of {self.model_name}"


class IndexAttributes(Operation):
    """Index the users' attributes on PostgreSQL, for searches by values that few users have.

    A search by `eq`, `in` or `contains` can then read whom the index (GIN, `jsonb_path_ops`) names,
    where it would read the team's users one after another. The price: every update of an attribute
    maintains the index, and is no heap-only update any more (see `LeaveRoomForUpdates`).
    Other databases have no such index: there, the operation does nothing.

    A project adds the operation to a migration of its own, which depends on
    `migrations.swappable_dependency(settings.AUTH_USER_MODEL)`. With `atomic = False`, users can be
    changed while the indexes are built.

    fields: of `custom_attributes` and `skill_attributes`, those to index.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, *fields: str) -> None:
        self.fields = fields

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Do nothing: the indexes are not part of the model's state."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for concurrently, table, index, column in self._indexes(schema_editor, to_state):
            schema_editor.execute(
                f"CREATE INDEX {concurrently} {index} ON {table} "
                f"USING gin ({column} jsonb_path_ops)"
            )

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for concurrently, _, index, _ in self._indexes(schema_editor, from_state):
            schema_editor.execute(f"DROP INDEX {concurrently} {index}")

    def _indexes(self, schema_editor: Any, state: Any) -> Iterator[tuple[str, str, str, str]]:
        """Yield the parts of each statement; none where the database is not PostgreSQL."""
        model = state.apps.get_model(settings.AUTH_USER_MODEL)
        connection = schema_editor.connection
        if connection.vendor != "postgresql":
            return
        if not self.allow_migrate_model(connection.alias, model):
            return
        quote, table = schema_editor.quote_name, model._meta.db_table
        concurrently = "" if connection.in_atomic_block else "CONCURRENTLY"
        for field in self.fields:
            column = model._meta.get_field(field).column
            name = truncate_name(f"{table}_{column}_gin", connection.ops.max_name_length())
            yield concurrently, quote(table), quote(name), quote(column)

    def describe(self) -> str:
        return f"Index {' and '.join(self.fields)} on PostgreSQL"
