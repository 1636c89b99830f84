"""The attributes that operators define, in the extension of the User."""

import pytest
from django.contrib.auth import get_user_model

from tests.database import stored
from tests.factories import AttributeDefinitionFactory, ChoiceFactory
from tests.scim.calls import USER, assert_refused, body_of, listed, user_path
from users.models import AttributeDefinition
from users.scim import schemas

DESK = "urn:ietf:params:scim:schemas:extension:desk:2.0:User"


@pytest.fixture(autouse=True)
def definitions(db):
    ChoiceFactory(name="business", description="The line of business")
    AttributeDefinitionFactory(name="note")
    ChoiceFactory(kind="skill", name="languages", type="multiple_choice", choices=["en", "hi"])
    AttributeDefinitionFactory(kind="skill", name="seniority", type="number")
    AttributeDefinitionFactory(kind="skill", name="night", type="boolean")


def stored_of(body):
    return get_user_model().objects.get(pk=body["id"])


def new(**attributes):
    return {
        "schemas": [USER, DESK],
        "userName": "mia@desk.example",
        "name": {"givenName": "Mia"},
        DESK: attributes,
    }


ALL = {
    "customAttributes": {"business": "Retail", "note": "x"},
    "skillAttributes": {"languages": ["en"], "seniority": 4, "night": True},
}


def described(provider):
    [extension] = [each for each in listed(provider.get("/Schemas")) if each["id"] == DESK]
    return {
        part["name"]: {each["name"]: each for each in part["subAttributes"]}
        for part in extension["attributes"]
    }


def test_the_schema_has_what_is_defined(provider):
    found = described(provider)
    assert {kind: list(found[kind]) for kind in found} == {
        "customAttributes": ["business", "note"],
        "skillAttributes": ["languages", "night", "seniority"],
    }
    business = found["customAttributes"]["business"]
    assert business["type"] == "string"
    assert business["canonicalValues"] == ["Retail", "Banking"]
    assert business["description"] == "The line of business"
    types = {
        name: (each["type"], each["multiValued"]) for name, each in found["skillAttributes"].items()
    }
    assert types == {
        "languages": ("string", True),
        "night": ("boolean", False),
        "seniority": ("decimal", False),
    }


def test_a_user_is_made_with_attributes(provider):
    body = body_of(provider.post("/Users", new(**ALL)), 201)
    assert body[DESK] == ALL
    assert body["schemas"] == [USER, DESK]
    user = stored_of(body)
    assert user.custom_attributes == ALL["customAttributes"]
    assert user.skill_attributes == ALL["skillAttributes"]
    assert type(user.skill_attributes["seniority"]) is int


def test_texts_are_read_as_numbers_and_booleans(provider):
    body = new(skillAttributes={"seniority": "4.5", "night": "True"})
    assert stored_of(body_of(provider.post("/Users", body), 201)).skill_attributes == {
        "seniority": 4.5,
        "night": True,
    }


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"customAttributes": {"business": "Fishing"}}, "customAttributes.business"),
        ({"customAttributes": {"note": 5}}, "customAttributes.note"),
        ({"customAttributes": {"note": "x" * 256}}, "customAttributes.note"),
        ({"skillAttributes": {"seniority": True}}, "skillAttributes.seniority"),
        ({"skillAttributes": {"seniority": "many"}}, "skillAttributes.seniority"),
        ({"skillAttributes": {"languages": ["fr"]}}, "skillAttributes.languages"),
        ({"skillAttributes": {"languages": ["en", "en"]}}, "skillAttributes.languages"),
        ({"skillAttributes": {"night": "maybe"}}, "skillAttributes.night"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(provider, attributes, name):
    detail = assert_refused(provider.post("/Users", new(**attributes)), 400, "invalidValue")
    assert name in detail


def test_undefined_attributes_are_ignored(provider):
    body = body_of(provider.post("/Users", new(skillAttributes={"chess": 1})), 201)
    assert stored_of(body).skill_attributes == {}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": f"{DESK}:customAttributes.business", "value": "Banking"},
        {"op": "Add", "path": f"{DESK}:customAttributes", "value": {"business": "Banking"}},
        {"op": "add", "path": DESK, "value": {"customAttributes": {"business": "Banking"}}},
        {"op": "add", "value": {DESK: {"customAttributes": {"business": "Banking"}}}},
        {"op": "add", "value": {f"{DESK}:customAttributes.business": "Banking"}},
    ],
)
def test_one_attribute_is_patched(provider, provisioned, operation):
    provisioned.custom_attributes = {"business": "Retail", "note": "stays", "gone": "stays"}
    provisioned.save()
    body_of(provider.patch(user_path(provisioned), operation))
    assert stored(provisioned).custom_attributes == {
        "business": "Banking",
        "note": "stays",
        "gone": "stays",
    }


def test_an_attribute_is_removed(provider, provisioned):
    provisioned.custom_attributes = {"business": "Retail", "note": "stays"}
    provisioned.save()
    path = f"{DESK}:customAttributes.business"
    provider.patch(user_path(provisioned), {"op": "remove", "path": path})
    assert stored(provisioned).custom_attributes == {"note": "stays"}


def test_a_put_clears_what_is_defined_alone(provider, provisioned):
    provisioned.custom_attributes = {"business": "Retail", "gone": "stays"}
    provisioned.skill_attributes = {"chess": 1, "seniority": 4}
    provisioned.save()
    body_of(provider.put(user_path(provisioned), new(customAttributes={"note": "new"})))
    user = stored(provisioned)
    assert user.custom_attributes == {"note": "new", "gone": "stays"}
    assert user.skill_attributes == {"chess": 1}


def test_what_is_taken_back_has_no_undefined_attributes(provider, provisioned):
    provisioned.skill_attributes = {"chess": 1, "seniority": 4}
    provisioned.login_id = "mia@desk.example"
    provisioned.save()
    provider.delete(user_path(provisioned))
    body_of(provider.post("/Users", new(skillAttributes={"night": False})), 201)
    assert stored(provisioned).skill_attributes == {"night": False}


def test_a_value_that_is_no_longer_allowed_blocks_nothing(provider, provisioned):
    provisioned.custom_attributes = {"business": "Fishing"}
    provisioned.save()
    read = body_of(provider.get(user_path(provisioned)))
    assert read[DESK] == {"customAttributes": {"business": "Fishing"}}
    body_of(provider.put(user_path(provisioned), {**read, "title": "Lead"}))
    assert stored(provisioned).custom_attributes == {"business": "Fishing"}


def test_names_that_scim_does_not_have_are_not_shown(provider, provisioned):
    for name in ("two words", "Business", "ünit", "_x"):
        AttributeDefinitionFactory(name=name)
    assert list(described(provider)["customAttributes"]) == ["Business", "note"]


def test_a_definition_holds_from_the_next_request_on(provider):
    assert "note" in described(provider)["customAttributes"]
    AttributeDefinition.objects.get(name="note").delete()
    assert "note" not in described(provider)["customAttributes"]
    AttributeDefinition.objects.filter(name="business").update(choices=["Fishing"])
    body = new(customAttributes={"business": "Fishing"})
    assert body_of(provider.post("/Users", body), 201)[DESK] == {
        "customAttributes": {"business": "Fishing"}
    }


def test_the_models_are_built_once_for_each_change_of_a_definition(provider, monkeypatch):
    built = []

    def build(definitions):
        built.append(definitions)
        return schemas.Schemas(definitions)

    monkeypatch.setattr(schemas, "_kept", schemas._Kept(build))
    for _ in range(3):
        provider.get("/Users")
    assert len(built) == 1
    AttributeDefinition.objects.filter(name="note").update(description="New")
    for _ in range(3):
        provider.get("/Users")
    assert len(built) == 2


def test_without_definitions_there_is_no_extension(provider):
    AttributeDefinition.objects.all().delete()
    assert DESK not in [each["id"] for each in listed(provider.get("/Schemas"))]
    body = body_of(provider.post("/Users", new(customAttributes={"note": "x"})), 201)
    assert DESK not in body
