"""Migration operations."""

from typing import Any

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
