"""Statements that are compiled once and run many times.

Django compiles a queryset anew on each evaluation, which takes several times as long as to run it.
The call runs the same few statements on each request: they are compiled once for each connection.
With it, the call takes half of the processor's time that it took (tests/benchmarks).
"""

from collections.abc import Callable, Hashable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Generic, TypeVar

from django.db import connections, models
from django.db.models.sql import InsertQuery, UpdateQuery

Row = TypeVar("Row", bound=models.Model)


class Parameter(models.Expression):
    """Stands in a queryset for a value that is given when the compiled statement is run.

    name: the name of the value.
    field: the model field that converts the value for the database.
    """

    def __init__(self, name: str, field: models.Field) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]

    def bind(self, value: Any, connection: Any) -> Any:
        """Return `value` as the database takes it, where it is looked up."""
        field = self.output_field
        return field.get_db_prep_value(field.get_prep_value(value), connection, prepared=True)


class _Assigned(Parameter):
    def bind(self, value: Any, connection: Any) -> Any:
        """Return `value` as the database takes it, where it is stored."""
        return self.output_field.get_db_prep_save(value, connection)


class CompiledQuery(Generic[Row]):
    """A queryset of whole instances, in which `Parameter`s stand for what changes.

    build: makes the queryset; called once for each connection, and not before the first run.
    """

    def __init__(self, build: Callable[[], "models.QuerySet[Row]"]) -> None:
        self.build = build

    def run(self, using: str, **values: Any) -> list[Row]:
        """Return the instances that are found in the database `using`, with `values` given."""
        query: _Select[Row] = _compiled(using, self, lambda: _Select(self.build().using(using)))
        return query.instances(query.execute(values).fetchall())


def update(
    instance: models.Model, model: type[models.Model], using: str, names: AbstractSet[str]
) -> bool:
    """Update the fields `names` of the row of `instance`, to what the instance has.

    model: whose table it is, of the instance's model and its parents.

    Returns whether a row was updated. It is not where there is none, and where that takes more than
    plain values (an expression, a field that the database generates): Django's own save is for
    that.
    """
    key = model, frozenset(names)
    statement: _Update | None = _compiled(using, key, lambda: _plain_update(model, using, names))
    if statement is None:
        return False
    values = {field.attname: field.pre_save(instance, add=False) for field in statement.fields}
    if any(hasattr(value, "resolve_expression") for value in values.values()):
        return False
    return statement.execute({**values, "pk": instance._get_pk_val(model._meta)}).rowcount > 0


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

    def run(self, using: str, fields: Mapping[str, Any], **values: Any) -> Any:
        """Insert a row into the database `using`, and return its primary key.

        fields: the row's values by field.
        values: what the `Parameter`s of the expressions stand for.
        """

        def build() -> _Insert:
            return _Insert(self.model, using, list(fields), self.expressions())

        statement: _Insert = _compiled(using, (self, tuple(fields)), build)
        return statement.inserted_pk(statement.execute({**fields, **values}))


def _compiled(using: str, key: Hashable, build: Callable[[], Any]) -> Any:
    # On the connection, to which Django's compilers and their converters are bound.
    connection: Any = connections[using]
    statements = vars(connection).setdefault("users_compiled_statements", {})
    key = key, connection.timezone  # which a host's tests override: the converters depend on it
    if key not in statements:
        statements[key] = build()
    return statements[key]


class _Statement:
    """A statement that a compiler of Django's has made."""

    def __init__(self, compiler: Any) -> None:
        self.connection = compiler.connection
        statement = compiler.as_sql()
        # Django's compiler of INSERT gives a list of statements: here, of one.
        self.sql, self.parameters = statement[0] if isinstance(statement, list) else statement
        self.cursor: Any = None
        self.cursor_is_of: Any = None  # the driver's connection

    def execute(self, values: dict[str, Any]) -> Any:
        """Run the statement with `values` given, and return the cursor, to be read at once."""
        bound = [
            parameter.bind(values[parameter.name], self.connection)
            if isinstance(parameter, Parameter)
            else parameter
            for parameter in self.parameters
        ]
        cursor = self._cursor()
        cursor.execute(self.sql, bound)
        return cursor

    def _cursor(self) -> Any:
        """Return what `connection.cursor()` does, but with the driver's cursor of the last run.

        It knows already how to convert what this statement takes and returns.
        """
        connection = self.connection
        if connection.allow_thread_sharing:  # as in tests with a live server
            return connection.cursor()
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        if self.cursor_is_of is not connection.connection:
            # A backend may have a cursor that is made for this (`users.db.postgresql` does).
            create = getattr(connection, "create_prepared_cursor", connection.create_cursor)
            with connection.wrap_database_errors:
                self.cursor = create()
            self.cursor_is_of = connection.connection
        return connection._prepare_cursor(self.cursor)


class _Update(_Statement):
    """Of `fields` in the row of a primary key."""

    def __init__(self, model: type[models.Model], using: str, fields: list[Any]) -> None:
        row = model._base_manager.using(using).filter(pk=Parameter("pk", model._meta.pk))
        query: Any = row.query.chain(UpdateQuery)
        query.add_update_fields(
            [(field, None, _Assigned(field.attname, field)) for field in fields]
        )
        super().__init__(query.get_compiler(using))
        self.fields = fields


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
        super().__init__(compiler)

    def inserted_pk(self, cursor: Any) -> Any:
        return cursor.fetchall()[0][0] if self.returns else cursor.lastrowid


def _plain_update(model: type[models.Model], using: str, names: AbstractSet[str]) -> _Update | None:
    """Return the update of the fields `names` that the model's own table has, if it has any.

    None too where the table has fields that the database generates: Django reads them again.
    """
    own = model._meta.local_concrete_fields
    fields = [
        field for field in own if not field.primary_key and {field.name, field.attname} & names
    ]
    if not fields or any(field.generated for field in own):
        return None
    return _Update(model, using, fields)


class _Select(_Statement, Generic[Row]):
    """With what Django's `ModelIterable` finds out anew on each evaluation of a queryset."""

    def __init__(self, queryset: "models.QuerySet[Row]") -> None:
        compiler = queryset.query.get_compiler(queryset.db)
        super().__init__(compiler)
        self.model = queryset.model
        self.using = queryset.db
        selected = [expression for expression, _, _ in compiler.select]
        self.converters = compiler.get_converters(selected)
        self.apply_converters = compiler.apply_converters
        self.annotations = compiler.annotation_col_map.items()
        self.fields = [column.target.attname for column in selected if hasattr(column, "target")]

    def instances(self, rows: list[Any]) -> list[Row]:
        """Return the instances of which the database has sent `rows`."""
        width = len(self.fields)
        found = []
        for row in self.apply_converters(rows, self.converters):
            instance = self.model.from_db(self.using, self.fields, row[:width])
            for name, position in self.annotations:
                setattr(instance, name, row[position])
            found.append(instance)
        return found
