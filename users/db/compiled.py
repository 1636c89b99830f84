"""SQL statements that are compiled once per connection and run many times.

Django compiles a queryset on each evaluation, which takes several times as long as running it. The
update call runs the same few statements on every request. Uncompiled, its SELECT would add about
160 per cent to its CPU time, the INSERT of the history 55, the UPDATE 30
(`python -m tests.benchmarks.parts`).
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Generic, TypeVar

from django.db import connections, models
from django.db.models.sql import InsertQuery, UpdateQuery

from users.db.postgresql.rows import can_update, update_rows

Row = TypeVar("Row", bound=models.Model)


class Parameter(models.Expression):
    """A placeholder in a queryset for a value that is given when the compiled statement runs.

    name: the name of the value.
    field: the model field that converts the value for the database.
    """

    def __init__(self, name: str, field: models.Field) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]

    def bind(self, value: Any, connection: Any) -> Any:
        """Return `value` prepared for a lookup."""
        field = self.output_field
        return field.get_db_prep_value(field.get_prep_value(value), connection, prepared=True)


class _Assigned(Parameter):
    def bind(self, value: Any, connection: Any) -> Any:
        """Return `value` prepared for saving."""
        return self.output_field.get_db_prep_save(value, connection)


class CompiledQuery(Generic[Row]):
    """A queryset of model instances that is compiled once, with a `Parameter` for each value.

    build: returns the queryset; called once per connection, on the first run.
    """

    def __init__(self, build: Callable[[], "models.QuerySet[Row]"]) -> None:
        self.build = build

    def run(self, using: str, **values: Any) -> list[Row]:
        """Run the query with `values` on the database `using`, and return the instances."""
        query: _Select[Row] = _compiled(using, self, lambda: _Select(self.build().using(using)))
        return query.instances(query.execute(values).fetchall())


class PlannedUpdate:
    """An UPDATE of plain values in one row, compiled and not yet run: see `plan_update`."""

    def __init__(self, statement: "_Update", values: dict[str, Any]) -> None:
        self.statement = statement
        self.values = values

    def run(self) -> bool:
        """Return True if there was a row to update."""
        return self.statement.execute(self.values).rowcount > 0


def run_updates(updates: Iterable[PlannedUpdate], using: str) -> None:
    """Run updates of rows that are there, no row twice: on PostgreSQL, by few statements."""
    by_statement: dict[_Update, list[PlannedUpdate]] = {}
    for update in updates:
        by_statement.setdefault(update.statement, []).append(update)
    is_postgresql = connections[using].vendor == "postgresql"
    for statement, same in by_statement.items():
        if is_postgresql and len(same) > 1 and can_update(statement.fields):
            rows = (update.values for update in same)
            update_rows(statement.model, statement.fields, rows, using)
        else:
            for update in same:
                update.run()


def plan_update(
    instance: models.Model, model: type[models.Model], using: str, names: AbstractSet[str]
) -> PlannedUpdate | None:
    """Return the UPDATE of the fields `names` of the row of `instance`.

    Return None if more than plain values is needed (an expression or a generated field): save in
    Django's own way then.

    model: the instance's model, or the parent model whose table is updated.
    """
    key = model, frozenset(names)
    statement: _Update | None = _compiled(using, key, lambda: _plain_update(model, using, names))
    if statement is None:
        return None
    values = {field.attname: field.pre_save(instance, add=False) for field in statement.fields}
    if any(hasattr(value, "resolve_expression") for value in values.values()):
        return None
    return PlannedUpdate(statement, {**values, "pk": instance._get_pk_val(model._meta)})


class CompiledInsert:
    """An INSERT of one row, in which `Parameter`s stand for what changes.

    model: whose table it is.
    expressions: makes other expressions than the values of the run, by field; called once for each
        connection. Fields that are named neither there nor in a run get the database's default.
    """

    def __init__(
        self,
        model: type[models.Model],
        expressions: Callable[[], Mapping[str, Any]] = dict[str, Any],
    ) -> None:
        self.model = model
        self.expressions = expressions

    def run(
        self,
        using: str,
        fields: Mapping[str, Any],
        update: PlannedUpdate | None = None,
        **values: Any,
    ) -> Any:
        """Insert a row into the database `using`, and return its primary key.

        fields: the row's values by field.
        update: of a row that is there, to be run as well: on PostgreSQL by the same statement.
        values: what the `Parameter`s of the expressions stand for.
        """

        def build() -> _Insert:
            return _Insert(self.model, using, list(fields), self.expressions())

        key = self, tuple(fields)
        insert: _Insert = _compiled(using, key, build)
        bound = insert.bound({**fields, **values})
        if update is None:
            return insert.inserted_pk(insert.execute_bound(bound))
        if connections[using].vendor != "postgresql":
            update.run()
            return insert.inserted_pk(insert.execute_bound(bound))
        both: _UpdateAndInsert = _compiled(
            using, (key, update.statement.key), lambda: _UpdateAndInsert(update.statement, insert)
        )
        bound = [*update.statement.bound(update.values), *bound]
        return insert.inserted_pk(both.execute_bound(bound))


def _compiled(using: str, key: Hashable, build: Callable[[], Any]) -> Any:
    # Kept on the connection, because Django's compilers and converters are bound to it.
    connection: Any = connections[using]
    statements = vars(connection).setdefault("users_compiled_statements", {})
    key = key, connection.timezone  # converters depend on it, and tests may override it
    if key not in statements:
        statements[key] = build()
    return statements[key]


class _Statement:
    """A compiled statement with its cursor."""

    def __init__(self, connection: Any, sql: str, parameters: Sequence[Any]) -> None:
        self.connection = connection
        self.sql = sql
        self.parameters = parameters
        self.cursor: Any = None
        self.driver_connection: Any = None  # the one that `cursor` belongs to

    def bound(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the parameters for a run with `values`."""
        return [
            parameter.bind(values[parameter.name], self.connection)
            if isinstance(parameter, Parameter)
            else parameter
            for parameter in self.parameters
        ]

    def execute(self, values: Mapping[str, Any]) -> Any:
        """Run the statement with `values`. Read the returned cursor before the next run."""
        return self.execute_bound(self.bound(values))

    def execute_bound(self, parameters: list[Any]) -> Any:
        """Run the statement with what `bound` returned."""
        cursor = self._cursor()
        cursor.execute(self.sql, parameters)
        return cursor

    def _cursor(self) -> Any:
        """Do what `connection.cursor()` does, but reuse the driver's cursor of the last run.

        That cursor has already looked up how to convert the parameters and the columns: about 5 per
        cent of the update call's CPU time (`python -m tests.benchmarks.parts`).
        """
        connection = self.connection
        if connection.allow_thread_sharing:  # as in tests with a live server
            return connection.cursor()
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        if self.driver_connection is not connection.connection:
            # A backend may have cursors for prepared statements (`users.db.postgresql` does).
            create = getattr(connection, "create_prepared_cursor", connection.create_cursor)
            with connection.wrap_database_errors:
                self.cursor = create()
            self.driver_connection = connection.connection
        return connection._prepare_cursor(self.cursor)


class _Update(_Statement):
    """UPDATE the given fields of one row."""

    def __init__(self, model: type[models.Model], using: str, fields: list[Any]) -> None:
        row = model._base_manager.using(using).filter(pk=Parameter("pk", model._meta.pk))
        query: Any = row.query.chain(UpdateQuery)
        query.add_update_fields(
            [(field, None, _Assigned(field.attname, field)) for field in fields]
        )
        super().__init__(connections[using], *query.get_compiler(using).as_sql())
        self.model = model
        self.fields = fields
        self.key = model, tuple(fields)


class _Insert(_Statement):
    """INSERT one row of values and expressions."""

    def __init__(
        self,
        model: type[models.Model],
        using: str,
        names: list[str],
        expressions: Mapping[str, Any],
    ) -> None:
        row = model()
        for name in names:
            field: Any = model._meta.get_field(name)
            setattr(row, name, _Assigned(name, field))
        for name, expression in expressions.items():
            setattr(row, name, expression)
        fields = [model._meta.get_field(name) for name in (*names, *expressions)]
        query: Any = InsertQuery(model)
        query.insert_values(fields, [row], raw=True)
        compiler: Any = query.get_compiler(using)
        self.returns = compiler.connection.features.can_return_columns_from_insert
        if self.returns:
            compiler.returning_fields = [model._meta.pk]
        [(sql, parameters)] = compiler.as_sql()
        super().__init__(compiler.connection, sql, parameters)

    def inserted_pk(self, cursor: Any) -> Any:
        return cursor.fetchall()[0][0] if self.returns else cursor.lastrowid


class _UpdateAndInsert(_Statement):
    """UPDATE a row and INSERT another by one statement (PostgreSQL's data-modifying WITH).

    It saves a round trip, and about 5 per cent of the update call's CPU time
    (`python -m tests.benchmarks.parts`).
    """

    def __init__(self, update: _Update, insert: _Insert) -> None:
        sql = f"WITH updated AS ({update.sql}) {insert.sql}"
        super().__init__(insert.connection, sql, [*update.parameters, *insert.parameters])


def _plain_update(model: type[models.Model], using: str, names: AbstractSet[str]) -> _Update | None:
    """Return the UPDATE of those fields in `names` that the model's own table has.

    Return None if it has none of them, or if it has generated fields, which Django reads back.
    """
    own = model._meta.local_concrete_fields
    fields = [
        field for field in own if not field.primary_key and {field.name, field.attname} & names
    ]
    if not fields or any(field.generated for field in own):
        return None
    return _Update(model, using, fields)


class _Select(_Statement, Generic[Row]):
    """A SELECT whose column mapping is computed once."""

    def __init__(self, queryset: "models.QuerySet[Row]") -> None:
        compiler = queryset.query.get_compiler(queryset.db)
        super().__init__(compiler.connection, *compiler.as_sql())
        self.model = queryset.model
        self.using = queryset.db
        selected = [expression for expression, _, _ in compiler.select]
        self.converters = compiler.get_converters(selected)
        self.apply_converters = compiler.apply_converters
        self.annotations = compiler.annotation_col_map.items()
        self.fields = [column.target.attname for column in selected if hasattr(column, "target")]

    def instances(self, rows: list[Any]) -> list[Row]:
        """Return the model instances for `rows`."""
        width = len(self.fields)
        found = []
        for row in self.apply_converters(rows, self.converters):
            instance = self.model.from_db(self.using, self.fields, row[:width])
            for name, position in self.annotations:
                setattr(instance, name, row[position])
            found.append(instance)
        return found
