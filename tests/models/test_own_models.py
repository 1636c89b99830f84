"""What the history keeps of users of a project's own models and fields."""

from datetime import time
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import F

from tests.factories import TeamFactory, UserFactory
from users import changes
from users.models import AbstractUser, Change

pytestmark = pytest.mark.django_db(transaction=True)


class Doubled(models.IntegerField):
    """Stores twice what the instance has."""

    def pre_save(self, instance, add):
        return 2 * getattr(instance, self.attname)


@pytest.fixture(scope="module")
def own_models():
    """A user model with fields of its own, and a model that inherits from its table."""

    class Agent(AbstractUser):
        desk = models.CharField(max_length=20)
        rate = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(1))
        photo = models.BinaryField(default=b"")
        starts_at = models.TimeField(default=time(8))
        doubled = Doubled(default=0)

        UNRECORDED_FIELDS = ("desk",)

        class Meta:
            app_label = "users"

    class Lead(Agent):
        grade = models.IntegerField(default=1)

        class Meta:
            app_label = "users"

    yield Agent, Lead
    for name in [name for name in apps.all_models["users"] if name.startswith(("agent", "lead"))]:
        del apps.all_models["users"][name]
    apps.clear_cache()


@pytest.fixture
def tables(db, own_models):
    with connection.schema_editor() as editor:
        for model in own_models:
            editor.create_model(model)
    yield own_models
    with connection.schema_editor() as editor:
        for model in reversed(own_models):
            editor.delete_model(model)


@pytest.fixture
def agent(tables):
    return make(tables[0])


@pytest.fixture
def lead(tables):
    return make(tables[1])


def make(model):
    names = {"login_id": "asha", "email_id": "asha@desk.example", "first_name": "Asha"}
    return model._base_manager.get(pk=model._base_manager.create(**names).pk)


def lines():
    """Return the updates, as what was and what is."""
    updates = Change.objects.filter(action="updated").order_by("id")
    return [(change.before, change.after) for change in updates]


@pytest.mark.parametrize("names", [None, True])
@pytest.mark.parametrize(
    ("field", "value", "before", "after"),
    [
        ("rate", 1.5, "1.00", "1.50"),
        ("photo", b"\x00\xff", "", "AP8="),
        ("starts_at", time(8, 0, 0, 1), "08:00:00", "08:00:00.000001"),
        ("doubled", 3, 0, 6),
    ],
)
def test_a_field_is_recorded_as_it_is_stored(agent, names, field, value, before, after):
    setattr(agent, field, value)
    agent.save(update_fields=names and [field])
    assert lines() == [({field: before}, {field: after})]


@pytest.mark.parametrize(
    ("field", "value"), [("rate", Decimal("1.001")), ("photo", memoryview(b""))]
)
def test_a_value_that_is_stored_as_it_was_leaves_no_line(agent, field, value):
    setattr(agent, field, value)
    agent.save()
    assert lines() == []


def test_what_was_locked_for_fields_that_are_not_recorded_serves_no_later_save(agent):
    changes.save(agent, {"desk": "7"})
    type(agent)._base_manager.update(first_name="Bruno")
    agent.first_name = "Asha"
    agent.save()
    assert lines() == [({"first_name": "Bruno"}, {"first_name": "Asha"})]


def test_a_user_who_was_read_in_part_is_changed(agent):
    part = type(agent)._base_manager.only("login_id").get()
    changes.save(part, {"first_name": "Bruno"})
    assert lines() == [({"first_name": "Asha"}, {"first_name": "Bruno"})]


def test_a_user_of_two_tables_is_created_by_one_line(tables):
    key, team = UserFactory().pk, TeamFactory()  # memberships refer to the users of the tests
    user = tables[1](id=key, login_id="lead", email_id="lead@desk.example", grade=2)
    user.set_unusable_password()
    changes.create(user, {team.pk: "Team Agent"}, "default")
    [change] = Change.objects.filter(login_id="lead")
    assert (change.action, change.user_id, change.teams) == ("created", user.pk, [team.pk])
    assert (change.after["email_id"], change.after["grade"]) == ("lead@desk.example", 2)
    assert change.after["memberships"] == {str(team.pk): "Team Agent"}


def test_a_user_of_two_tables_is_created_without_a_key(lead):
    [change] = Change.objects.all()
    assert (change.action, change.user_id) == ("created", lead.pk)


@pytest.mark.parametrize("names", [None, ["first_name", "grade"]])
def test_a_user_of_two_tables_is_updated_by_one_line(lead, names):
    lead.first_name, lead.grade = "Bruno", 2
    lead.save(update_fields=names)
    assert lines() == [({"first_name": "Asha", "grade": 1}, {"first_name": "Bruno", "grade": 2})]


def test_of_two_tables_expressions_and_a_password_are_recorded(lead):
    lead.active_chats, lead.grade = F("active_chats") + 2, F("grade") + 1
    lead.save()
    lead.refresh_from_db()
    lead.set_password("secret")
    lead.save()
    assert lines() == [
        ({"active_chats": 0, "grade": 1}, {"active_chats": 2, "grade": 2}),
        ({"password": None}, {"password": "set"}),
    ]


def test_a_user_who_gets_the_second_table_is_updated(tables, agent):
    lead = tables[1](agent_ptr=agent, grade=3)
    lead.__dict__.update({**agent.__dict__, "_state": lead._state})
    lead.save()
    assert lines() == [({"grade": None}, {"grade": 3})]


def test_a_save_that_failed_between_the_tables_leaves_nothing_to_the_next(lead, monkeypatch):
    def fail(*args):
        raise RuntimeError

    lead.first_name = "Bruno"
    monkeypatch.setattr(type(lead)._meta.get_field("grade"), "pre_save", fail)
    with pytest.raises(RuntimeError), transaction.atomic():
        lead.save()
    monkeypatch.undo()
    type(lead)._base_manager.update(first_name="Chloe")
    lead.save()
    assert lines() == [({"first_name": "Chloe"}, {"first_name": "Bruno"})]
