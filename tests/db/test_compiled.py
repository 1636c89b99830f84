"""Statements that are compiled once, against Django's own."""

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, models
from django.db.models import F
from django.test.utils import CaptureQueriesContext, isolate_apps, override_settings
from django.utils import timezone

from tests.factories import AttributeDefinitionFactory, UserFactory
from users.db.compiled import CompiledQuery, Parameter, plan_update
from users.models import AttributeDefinition

pytestmark = pytest.mark.django_db


@pytest.fixture
def by_name():
    name = Parameter("name", AttributeDefinition._meta.get_field("name"))
    return CompiledQuery(lambda: AttributeDefinition.objects.filter(name=name))


def test_each_run_finds_what_its_values_say(by_name):
    AttributeDefinitionFactory(name="level")
    AttributeDefinitionFactory(name="business", type="choice", choices=["Retail"])
    for name in ("level", "business", "level", "none"):
        found = by_name.run("default", name=name)
        assert found == list(AttributeDefinition.objects.filter(name=name))


def test_an_instance_is_as_djangos_own(by_name):
    AttributeDefinitionFactory(name="business", type="choice", choices=["Retail"])
    [found] = by_name.run("default", name="business")
    own = AttributeDefinition.objects.get()
    assert {**vars(found), "_state": None} == {**vars(own), "_state": None}
    assert (found._state.db, found._state.adding) == (own._state.db, own._state.adding)


def test_a_value_is_data_and_never_sql(by_name):
    AttributeDefinitionFactory(name="level")
    assert by_name.run("default", name="' OR ''='") == []


def test_a_query_is_compiled_once_for_a_connection(by_name):
    by_name.run("default", name="level")
    by_name.build = None
    by_name.run("default", name="business")


def test_a_query_that_ran_before_is_captured_again(by_name):
    by_name.run("default", name="level")
    with CaptureQueriesContext(connection) as queries:
        by_name.run("default", name="business")
    assert len(queries) == 1


@pytest.mark.django_db(transaction=True)
def test_a_query_runs_on_a_new_connection_too(by_name):
    AttributeDefinitionFactory(name="level")
    by_name.run("default", name="level")
    connection.close()
    assert len(by_name.run("default", name="level")) == 1


def test_a_run_keeps_its_rows_where_threads_share_the_connection(by_name):
    AttributeDefinitionFactory(name="level")
    meanwhile = iter([lambda: by_name.run("default", name="none")])

    def run_another(execute, *arguments):
        result = execute(*arguments)
        next(meanwhile, lambda: None)()
        return result

    connection.inc_thread_sharing()
    try:
        with connection.execute_wrapper(run_another):
            assert len(by_name.run("default", name="level")) == 1
    finally:
        connection.dec_thread_sharing()


def test_a_moment_is_naive_where_a_host_switches_time_zones_off():
    user = UserFactory()
    by_pk = CompiledQuery(
        lambda: get_user_model().objects.filter(pk=Parameter("pk", user._meta.pk))
    )
    for use_tz in (True, False, True):
        with override_settings(USE_TZ=use_tz):
            [found] = by_pk.run("default", pk=user.pk)
            assert timezone.is_aware(found.created_at) == use_tz


def test_a_save_runs_one_statement_and_stores_the_fields_alone():
    user = UserFactory(skill_attributes={"level": 1})
    other = get_user_model().objects.get(pk=user.pk)
    get_user_model().objects.filter(pk=user.pk).update(last_name="Stays")
    other.first_name, other.skill_attributes = "Bruno", {"level": 1e300}
    with CaptureQueriesContext(connection) as queries:
        other.save(update_fields=["first_name", "skill_attributes"])
    assert len([query for query in queries if "UPDATE " in query["sql"].partition("SET")[0]]) == 1
    user.refresh_from_db()
    assert (user.first_name, user.last_name) == ("Bruno", "Stays")
    assert user.skill_attributes == {"level": 1e300}


def test_a_save_takes_an_expression():
    user = UserFactory(active_chats=2)
    user.active_chats = F("active_chats") + 1
    user.save(update_fields=["active_chats"])
    user.refresh_from_db()
    assert user.active_chats == 3


def test_a_save_of_a_user_who_is_gone_fails():
    user = UserFactory()
    get_user_model().objects.all().delete()
    with pytest.raises(DatabaseError, match="did not affect any rows"):
        user.save(update_fields=["first_name"])


def test_a_save_of_a_new_user_with_a_given_key_inserts():
    user = UserFactory.build(pk=4_000, last_login=timezone.now())
    user.save()
    assert get_user_model().objects.get().pk == 4_000


@isolate_apps("users")
def test_a_table_with_generated_fields_is_left_to_django():
    class Price(models.Model):  # noqa: DJ008
        net = models.IntegerField()
        gross = models.GeneratedField(
            expression=F("net") * 2, output_field=models.IntegerField(), db_persist=True
        )

        class Meta:
            app_label = "users"

    assert plan_update(Price(pk=1, net=2), Price, "default", frozenset({"net"})) is None
