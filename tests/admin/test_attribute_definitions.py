"""The pages of attribute definitions."""

import pytest
from django.db import connection
from django.db.models import JSONField, Value
from django.test.utils import CaptureQueriesContext

from tests.admin.pages import USERS, errors, fields, send, user_page
from tests.factories import AttributeDefinitionFactory, ChoiceFactory, UserFactory
from users.models import AttributeDefinition

LIST = "/admin/users/attributedefinition/"


def save(browser, definition, **changes):
    path = f"{LIST}{definition.pk}/change/"
    return send(browser, path, "attributedefinition_form", **changes)


@pytest.fixture
def holders(business):
    """Two users who hold "Retail", one who holds "Banking" under another name."""
    UserFactory.create_batch(2, custom_attributes={"business": "Retail"})
    UserFactory(custom_attributes={"other": "Banking"}, skill_attributes={"business": "Banking"})


def test_a_definition_is_made_with_a_choice_a_line(root_browser):
    send(
        root_browser,
        f"{LIST}add/",
        "attributedefinition_form",
        kind="skill",
        name="languages",
        type="multiple_choice",
        choices=" English \r\n\r\nDeutsch\r\n",
        description="Spoken",
    )
    assert AttributeDefinition.objects.get().choices == ["English", "Deutsch"]


def test_choices_that_the_operator_did_not_touch_stay_as_they_are(root_browser, business):
    odd = [
        "Team lead\nBerlin",
        "Team leadBerlin",
        " outer ",
        "a\r\nb",
        "a\rb",
        "\u2028x\u2028y",
        "\n",
    ]
    odd += ['"VIP"', '"', '""', '"a\\nb"', "\\n", "[1]", "Größe", "x\x85y", "null", "\t"]
    AttributeDefinition.objects.update(choices=odd)
    assert save(root_browser, business, description="New").status_code == 302
    business.refresh_from_db()
    assert (business.choices, business.description) == (odd, "New")
    page = fields(root_browser.get(f"{LIST}{business.pk}/change/"), "attributedefinition_form")
    assert "Team leadBerlin" in page["choices"][0].split("\r\n")
    save(root_browser, business, choices=page["choices"][0] + "\r\nNew\r\n" + '"two\\nlines"')
    business.refresh_from_db()
    assert business.choices == [*odd, "New", "two\nlines"]


@pytest.mark.parametrize("odd", [[1, 2], [{"a": 1}], ["a", "a"], ["\ud800"], []])
@pytest.mark.parametrize("type_", ["choice", "multiple_choice"])
def test_choices_that_an_earlier_version_took_break_no_page(
    root_browser, call, user, business, type_, odd
):
    if connection.vendor != "sqlite" and odd == ["\ud800"]:
        pytest.skip("Other databases never took it.")
    stored = Value([*odd, "Retail"], JSONField())
    AttributeDefinition.objects.update(choices=stored, type=type_)
    bulk = {"action": "set_custom_attribute", "_selected_action": [user.pk], "confirmed": "yes"}
    for path in (LIST, f"{LIST}{business.pk}/change/", USERS, user_page(user)):
        assert "Retail" in root_browser.get(path).content.decode()
    assert root_browser.post(USERS, {**bulk, "definition": business.pk}).status_code == 200
    assert call({"custom_attributes": {"business": "x"}}).json()["status_code"] == 3107
    assert save(root_browser, business, description="New").status_code == 302
    assert save(root_browser, business, choices="Retail\r\nTravel").status_code == 302
    business.refresh_from_db()
    assert business.choices == ["Retail", "Travel"]


@pytest.mark.parametrize("kind", ["custom", "skill"])
def test_of_a_kind_there_are_as_many_definitions_as_a_page_of_a_user_takes(root_browser, db, kind):
    built = (AttributeDefinitionFactory.build(kind=kind, name=f"a{n}") for n in range(500))
    AttributeDefinition.objects.bulk_create(built)
    data = {"kind": kind, "name": "floor", "type": "text", "choices": ""}
    response = send(root_browser, f"{LIST}add/", "attributedefinition_form", **data)
    sentence = "There are 500 definitions of this kind: no more can be made."
    assert errors(response) == {"kind": [sentence]}
    other = {"custom": "skill", "skill": "custom"}[kind]
    data = {**data, "kind": other}
    response = send(root_browser, f"{LIST}add/", "attributedefinition_form", **data)
    assert response.status_code == 302
    assert (
        save(
            root_browser, AttributeDefinition.objects.filter(kind=kind)[0], description="New"
        ).status_code
        == 302
    )


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"choices": '"a\\u0000"'}, ["choices"]),
        ({"choices": '"\\ud800"'}, ["choices"]),
        ({"choices": ""}, ["choices"]),
        ({"choices": "a\r\na"}, ["choices"]),
        ({"choices": "x" * 256}, ["choices"]),
        ({"choices": "\r\n".join(map(str, range(1001)))}, ["choices"]),
        ({"type": "text"}, ["choices"]),
        ({"type": "other", "choices": ""}, ["type"]),
        ({"name": "x" * 65}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": "business"}, ["__all__"]),
    ],
)
def test_a_definition_that_makes_no_sense_is_not_made(root_browser, business, changes, wrong):
    data = {"kind": "custom", "name": "floor", "type": "choice", "choices": "1\r\n2", **changes}
    response = send(root_browser, f"{LIST}add/", "attributedefinition_form", **data)
    assert list(errors(response)) == wrong
    assert AttributeDefinition.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"choices": "a\r\nb\r\na\r\nb\r\nc"},
            "Each choice must be listed once. Listed several times: “a”, “b”.",
        ),
        (
            {"choices": "a\r\n" + "x" * 300},
            "Choice 2: Must have 1 to 255 characters, and has 300.",
        ),
        (
            {"type": "text"},
            "This type has no choices: clear them, or choose the type “one choice” or “several "
            "choices”.",
        ),
    ],
)
def test_an_error_of_choices_says_which(root_browser, business, changes, sentence):
    assert errors(save(root_browser, business, **changes))["choices"] == [sentence]


def test_the_kind_and_name_are_fixed_once_made(root_browser, business):
    save(root_browser, business, kind="skill", name="unit", description="New")
    business.refresh_from_db()
    assert (business.kind, business.name, business.description) == ("custom", "business", "New")


def test_a_choice_that_users_hold_is_removed_after_saying_so(root_browser, business, holders):
    response = save(root_browser, business, choices="Banking\r\nTravel")
    sentence = "2 users have “Retail”. The values are kept, but no longer allowed."
    assert errors(response) == {"confirmed": [sentence]}
    save(root_browser, business, choices="Banking\r\nTravel", confirmed="on")
    business.refresh_from_db()
    assert business.choices == ["Banking", "Travel"]


@pytest.mark.parametrize(
    "name", ["business", "business unit__in", "7", 'it\'s "odd"', "größe", "a\\b"]
)
@pytest.mark.parametrize("type_", ["choice", "multiple_choice"])
def test_the_holders_of_a_thousand_choices_take_one_query(root_browser, name, type_):
    choices = [f"Choice {number}" for number in range(1000)]
    definition = ChoiceFactory(name=name, type=type_, choices=choices)
    for held in ["Choice 1", "Choice 1", ["Choice 2", "Choice 1", 3], '["Choice 3"]', True, None]:
        UserFactory(custom_attributes={name: held, "other": "Choice 4"})
    UserFactory(custom_attributes={"other": "Choice 4"})
    path = f"{LIST}{definition.pk}/change/"
    data = fields(root_browser.get(path), "attributedefinition_form")

    def remove(kept):
        with CaptureQueriesContext(connection) as queries:
            response = root_browser.post(path, data | {"choices": "\r\n".join(kept)})
        return errors(response)["confirmed"], len(queries)

    one = "3 users have “Choice 1”. The values are kept, but no longer allowed."
    other = "1 user has “Choice 2”. The value is kept, but no longer allowed."
    _, cost = remove([choice for choice in choices if choice != "Choice 1"])
    assert remove(["Choice 0"]) == ([one, other], cost)


def test_a_choice_that_nobody_holds_is_removed_at_once(root_browser, business, holders):
    assert save(root_browser, business, choices="Retail").status_code == 302


@pytest.mark.parametrize(
    ("type_", "refused"),
    [("text", 3), ("number", 6), ("boolean", 6), ("multiple_choice", 6)],
)
def test_another_type_is_set_after_saying_how_many_values_it_refuses(
    root_browser, business, holders, type_, refused
):
    for held in ("Banking", "Bakery", True, 10**20, ["Retail"]):
        UserFactory(custom_attributes={"business": held})
    choices = "Retail\r\nBanking" if type_ == "multiple_choice" else ""
    response = save(root_browser, business, type=type_, choices=choices)
    sentence = (
        f"{refused} users have a value of “business” that the new type does not allow. The values "
        "are kept."
    )
    assert errors(response) == {"confirmed": [sentence]}


def test_another_type_that_allows_what_users_hold_is_set_at_once(root_browser, business, holders):
    assert save(root_browser, business, type="text", choices="").status_code == 302


@pytest.mark.parametrize("door", ["page", "list"])
def test_before_a_definition_is_deleted_the_page_says_how_many_hold_it(
    root_browser, business, holders, door
):
    if door == "page":
        page = root_browser.get(f"{LIST}{business.pk}/delete/")
    else:
        data = {"action": "delete_selected", "_selected_action": [business.pk]}
        page = root_browser.post(LIST, data)
    assert "2 users have “business”. The values are kept." in page.content.decode()


def test_the_holders_of_many_definitions_take_one_query(root_browser, business, holders):
    def cost():
        selected = list(AttributeDefinition.objects.values_list("pk", flat=True))
        data = {"action": "delete_selected", "_selected_action": selected}
        with CaptureQueriesContext(connection) as queries:
            page = root_browser.post(LIST, data)
        assert "2 users have “business”. The values are kept." in page.content.decode()
        return len(queries)

    one = cost()
    ChoiceFactory.create_batch(99)
    assert cost() == one


def test_a_deleted_definition_leaves_the_values(root_browser, business, holders):
    root_browser.post(f"{LIST}{business.pk}/delete/", {"post": "yes"})
    assert not AttributeDefinition.objects.exists()
    users = type(UserFactory.build()).objects.filter(custom_attributes={"business": "Retail"})
    assert users.count() == 2


def test_a_new_skill_asks_before_users_have_values_that_it_does_not_allow(root_browser):
    for value in ("three", 3, 4):
        UserFactory(skill_attributes={"chess": value})
    new = {"kind": "skill", "name": "chess", "type": "number"}
    page = send(root_browser, f"{LIST}add/", "attributedefinition_form", **new)
    sentence = "1 user has a value of “chess” that this type does not allow. The value is kept."
    assert errors(page) == {"confirmed": [sentence]}
    data = fields(page, "attributedefinition_form")
    done = root_browser.post(f"{LIST}add/", {**data, "confirmed": "on"}, follow=True)
    definition = AttributeDefinition.objects.get()
    link = f'<a href="{USERS}?not_allowed=skill_{definition.pk}">'
    assert link in done.content.decode()


def test_a_new_skill_that_fits_is_made_at_once(root_browser):
    UserFactory(skill_attributes={"chess": 3})
    new = {"kind": "skill", "name": "chess", "type": "number"}
    assert send(root_browser, f"{LIST}add/", "attributedefinition_form", **new).status_code == 302


def test_definitions_stand_in_the_order_of_their_positions(root_browser, user):
    for position, name in enumerate(["first", "second", "third"], 1):
        AttributeDefinitionFactory(name=name, position=position)
    last = AttributeDefinition.objects.get(name="first")
    send(root_browser, LIST, "changelist-form", **{"form-0-position": "9", "_save": "Save"})
    names = [str(each) for each in AttributeDefinition.objects.filter(kind="custom")]
    assert names == ["second", "third", "first"]
    page = root_browser.get(user_page(user)).content.decode()
    assert page.index("second:") < page.index("third:") < page.index("first:")
    assert AttributeDefinition.objects.get(pk=last.pk).position == 9


LABELS = "de: Sparte\r\nde: Banking = Bankwesen\r\nhi: व्यवसाय"


def test_labels_are_entered_one_a_line_and_shown_in_the_language(root_browser, business):
    assert save(root_browser, business, labels=LABELS).status_code == 302
    business.refresh_from_db()
    assert business.labels == {"de": {"": "Sparte", "Banking": "Bankwesen"}, "hi": {"": "व्यवसाय"}}
    page = root_browser.get(f"{LIST}{business.pk}/change/")
    assert fields(page, "attributedefinition_form")["labels"] == [LABELS]
    user = UserFactory(custom_attributes={"business": "Banking"})
    for path in (USERS, user_page(user), "/admin/"):
        german = root_browser.get(path, headers={"accept-language": "de"}).content.decode()
        assert "Sparte" in german
        assert "Bankwesen" in german
        assert "Sparte" not in root_browser.get(path).content.decode()
    hindi = root_browser.get(USERS, headers={"accept-language": "hi"}).content.decode()
    assert "व्यवसाय" in hindi
    assert "Banking" in hindi


def test_a_choice_is_chosen_by_its_label_and_stored_by_its_name(root_browser, business):
    save(root_browser, business, labels=LABELS)
    user = UserFactory()
    sent = {"headers": {"accept-language": "de"}}
    page = root_browser.get(user_page(user), **sent)
    assert '<option value="Banking">Bankwesen</option>' in page.content.decode()
    root_browser.post(
        user_page(user), {**fields(page, "user_form"), f"custom_{business.pk}": "Banking"}, **sent
    )
    user.refresh_from_db()
    assert user.custom_attributes == {"business": "Banking"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Sparte", "Write “Sparte” as “de: label” or “de: choice = label”."),
        ("de: Banking = ", "Write “de: Banking =” as “de: label” or “de: choice = label”."),
        ("ja: 部門", "There is no language “ja”. There are: de, en, es, fr, hi."),
        ("de: Bakery = Bäckerei", "There is no choice “Bakery”."),
        ("de: " + "x" * 256, "Must have 1 to 255 characters, and has 256."),
    ],
)
def test_labels_that_make_no_sense_are_refused(root_browser, business, text, message):
    assert errors(save(root_browser, business, labels=text)) == {"labels": [message]}
