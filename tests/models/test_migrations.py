"""Migrations that are applied while workers of the version before still serve."""

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader

from tests.factories import TeamFactory, UserFactory

#: The last migration of the first release. Those up to it are applied before any worker serves.
FIRST_RELEASE = "0002_history"

# What changes nothing that workers read or write, or makes something that they do not know.
HARMLESS = (
    migrations.CreateModel,
    migrations.AddIndex,
    migrations.RemoveIndex,
    migrations.RemoveConstraint,
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
    migrations.RunPython,
)
# Each type of a column holds all that those before it do.
WIDER = [
    ["SmallIntegerField", "IntegerField", "BigIntegerField"],
    ["PositiveSmallIntegerField", "PositiveIntegerField", "PositiveBigIntegerField"],
    ["CharField", "TextField"],
]


def problem(operation, state, app="users"):
    """Return why an operation fails workers of the version before it, None if it does not."""
    if isinstance(operation, HARMLESS):
        return None
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        found = [problem(each, state, app) for each in operation.database_operations]
        return next(filter(None, found), None)
    if isinstance(operation, migrations.AddField):
        field = operation.field
        if field.many_to_many or field.null or field.has_db_default():
            return None
        return "the new column has no database default and takes no NULL: they cannot insert a row"
    if isinstance(operation, migrations.AlterField):
        before = state.models[app, operation.model_name.lower()].fields[operation.name]
        return narrower(before, operation.field)
    return "they still read or write what it takes away, or the operation is not known here"


def narrower(before, after):
    """Return why a column does not hold all that it held before, None if it does."""
    types = before.get_internal_type(), after.get_internal_type()
    if types[0] != types[1] and not any(
        set(types) <= set(each) and each.index(types[0]) < each.index(types[1]) for each in WIDER
    ):
        return "the column has another type"
    if before.null and not after.null:
        return "the column takes no NULL any more"
    if after.unique and not before.unique:
        return "the column must be unique now"
    lengths = before.max_length, after.max_length
    if None not in lengths and lengths[1] < lengths[0]:
        return "the column is shorter"
    return None


def operations():
    loader = MigrationLoader(None)
    names = sorted(name for app, name in loader.disk_migrations if app == "users")
    for name in names[names.index(FIRST_RELEASE) + 1 :]:
        state = loader.project_state(("users", name), at_end=False)
        for operation in loader.disk_migrations["users", name].operations:
            yield pytest.param(operation, state.clone(), id=f"{name}: {operation.describe()}")
            operation.state_forwards("users", state)


@pytest.mark.parametrize(("operation", "state"), [*operations()])
def test_a_migration_after_the_first_release_fails_no_worker_of_the_version_before(
    operation, state
):
    assert problem(operation, state) is None


@pytest.fixture(scope="module")
def released():
    """The state of the models in the first release."""
    return MigrationLoader(None).project_state(("users", FIRST_RELEASE))


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (migrations.AddField("team", "new", models.CharField(default="")), "cannot insert"),
        (migrations.AddField("team", "new", models.CharField(db_default="")), None),
        (migrations.AddField("team", "new", models.IntegerField(null=True)), None),
        (migrations.AlterField("team", "name", models.CharField(max_length=9)), "shorter"),
        (migrations.AlterField("team", "name", models.IntegerField()), "another type"),
        (migrations.AlterField("team", "name", models.CharField(max_length=900)), None),
        (migrations.AlterField("team", "name", models.TextField()), None),
        (migrations.AlterField("change", "by_id", models.BigIntegerField()), "no NULL"),
        (migrations.AlterField("change", "by_name", models.CharField(unique=True)), "unique"),
        (migrations.RemoveField("team", "name"), "still read"),
        (migrations.RenameField("team", "name", "title"), "still read"),
        (migrations.DeleteModel("team"), "still read"),
        (migrations.RunSQL("SELECT 1"), "not known"),
        (
            migrations.SeparateDatabaseAndState([migrations.DeleteModel("team")], []),
            "still read",
        ),
    ],
)
def test_the_check_tells_what_fails_old_workers(released, operation, expected):
    found = problem(operation, released)
    assert found is None if expected is None else expected in found


@pytest.mark.django_db
@pytest.mark.parametrize("model", ["Team", "User", "Membership", "AccessToken", "Change"])
def test_workers_of_the_first_release_insert_into_the_tables_of_today(released, model):
    old, team, user = released.apps.get_model("users", model), TeamFactory(), UserFactory()
    fields = {
        "Team": {"name": "Sales", "name_key": "sales"},
        "User": {"login_id": "x", "login_key": "x", "email_id": "x@y.zz", "email_key": "x@y.zz"},
        "Membership": {"team_id": team.pk, "user_id": user.pk, "role": "Team Agent"},
        "AccessToken": {"name": "HR", "digest": "0" * 64},
        "Change": {
            "user_id": user.pk,
            "action": "updated",
            "door": "api",
            "before": {},
            "after": {},
        },
    }
    row = old(**fields[model])
    row.save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {old._meta.db_table} WHERE id = %s", [row.pk])
        assert cursor.fetchone() == (1,)
