"""Whatever stands behind the `?` of a page, and in its hidden fields: no server error."""

import pytest

from tests.admin.pages import fields
from tests.factories import AttributeDefinitionFactory, MembershipFactory

ADMIN = "/admin/users/"
LISTS = ["user", "team", "membership", "accesstoken", "attributedefinition", "change"]
HUGE = "9" * 20
WITHOUT_A_FILTER = "?e=1"


@pytest.fixture
def browser(root_browser, user, business, token):
    """A superuser's, where each list has something to show."""
    return root_browser


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "q=" + "a+" * 2000,
        "q=" + "x" * 5000,
        "p=" + HUGE,
        "p=-1",
        "p=" + "9" * 5000,
        "o=" + HUGE,
        "o=" + "1." * 5000,
        "o=" + "9" * 5000,
        "o=%00",
        "all=%00",
        "_facets=%00",
        "_popup=%00",
        "%00=%00",
    ],
)
@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_any_search_page_and_order(browser, name, query):
    assert browser.get(f"{ADMIN}{name}/?{query}").status_code in (200, 302)


@pytest.mark.parametrize(
    ("name", "look_up"),
    [
        ("user", "custom_{business}"),
        ("user", "custom_{business}__isnull"),
        ("user", "custom_{note}__contains"),
        ("user", "skill_{floor}__gte"),
        ("user", "skill_{floor}__lte"),
        ("user", "skill_{flag}"),
        ("user", "logged_in"),
        ("user", "role"),
        ("user", "not_allowed"),
        ("user", "teams__isnull"),
        ("user", "status__exact"),
        ("user", "role_type__exact"),
        ("user", "accepting_chats__exact"),
        ("user", "teams__id__exact"),
        ("membership", "team__id__exact"),
        ("membership", "role__exact"),
        ("accesstoken", "teams__id__exact"),
        ("attributedefinition", "kind__exact"),
        ("attributedefinition", "type__exact"),
    ],
)
@pytest.mark.parametrize(
    "value",
    ["%00", HUGE, "9" * 5000, "-1", "1e999", "nan", "x", "", "a&{look_up}=b", "1,2", "%ED%A0%80"],
)
def test_a_list_takes_any_value_of_a_filter(browser, business, name, look_up, value):
    others = {
        "note": AttributeDefinitionFactory(name="note"),
        "floor": AttributeDefinitionFactory(kind="skill", name="floor", type="number"),
        "flag": AttributeDefinitionFactory(kind="skill", name="flag", type="boolean"),
    }
    keys = {each: definition.pk for each, definition in others.items()}
    look_up = look_up.format(business=business.pk, **keys)
    query = f"{look_up}={value.format(look_up=look_up)}"
    assert browser.get(f"{ADMIN}{name}/?{query}").status_code in (200, 302)


def test_a_filter_takes_no_more_values_than_a_search(browser, business):
    for name in (f"custom_{business.pk}", "status__exact", "teams__id__exact"):
        query = "&".join(f"{name}={number}" for number in range(1, 102))
        assert browser.get(f"{ADMIN}user/?{query}").status_code == 302


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("user", "custom_0=a"),
        ("user", "custom_x__gte=1"),
        ("user", "skill_9999__isnull=True"),
        ("user", "login_id__regex=("),
        ("user", "login_id__iregex=a"),
        ("user", "password__startswith=pbkdf2"),
        ("user", f"teams__id__in={HUGE}"),
        ("user", "teams__id__in=1"),
        ("user", f"id__in={HUGE}"),
        ("user", "memberships__team__name=a"),
        ("user", "custom_attributes__business=Retail"),
        ("user", "nothing=1"),
        ("team", f"id__in={HUGE}"),
        ("team", "members__password__startswith=pbkdf2"),
        ("membership", f"team__id__in={HUGE}"),
        ("membership", "user__password__startswith=pbkdf2"),
        ("accesstoken", f"teams__id__in={HUGE}"),
        ("accesstoken", "digest__regex=("),
        ("accesstoken", "expires_at__year=0"),
        ("attributedefinition", "name__regex=("),
        ("attributedefinition", "choices__0=a"),
    ],
)
def test_a_look_up_that_no_filter_makes_is_refused(browser, name, query):
    response = browser.get(f"{ADMIN}{name}/?{query}")
    assert (response.status_code, response.get("Location")) in (
        (302, f"{ADMIN}{name}/{WITHOUT_A_FILTER}"),
        (400, None),
    )


@pytest.mark.parametrize(
    "value", ["%00", HUGE, "9" * 5000, "-1", "x", "", "²", "9999-12-31", "0001-01-01", "2026-02-30"]
)
@pytest.mark.parametrize("name", ["door", "by", "since", "until", "login_id", "before"])
def test_the_history_takes_any_filter(browser, user, name, value):
    for path in ("change", f"user/{user.pk}/history"):
        assert browser.get(f"{ADMIN}{path}/?{name}={value}&{name}=x").status_code == 200
        assert browser.get(f"{ADMIN}{path}/?{name}={value}").status_code == 200


def test_a_filter_finds_what_it_did(browser, user, team, business):
    MembershipFactory()
    for name, query in [
        ("user", f"teams__id__exact={team.pk}"),
        ("user", f"teams__id__exact={team.pk}&custom_{business.pk}=Retail&status__exact=active"),
        ("membership", f"team__id__exact={team.pk}&role__exact=Team+Agent"),
        ("accesstoken", f"teams__id__exact={team.pk}"),
        ("accesstoken", "teams__id__exact=2&teams__isnull=False&_popup=1&p=1&all=&q=&o=1.-2"),
    ]:
        response = browser.get(f"{ADMIN}{name}/?{query}")
        assert response.status_code == 200
        if "isnull" not in query:
            assert response.context["cl"].result_count == 1


@pytest.mark.parametrize("term", ["%00", "a+" * 2000])
def test_the_choices_of_a_field_take_any_search(browser, term):
    query = f"app_label=users&model_name=membership&field_name=user&term={term}"
    assert browser.get(f"/admin/autocomplete/?{query}").json()["results"] == []


@pytest.mark.parametrize("value", [HUGE, "%00", "x", "-1"])
@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("membership", "user"),
        ("membership", "team"),
        ("membership", "role"),
        ("accesstoken", "teams"),
        ("accesstoken", "name"),
        ("team", "name"),
        ("attributedefinition", "choices"),
    ],
)
def test_a_form_takes_any_first_value(browser, name, parameter, value):
    assert browser.get(f"{ADMIN}{name}/add/?{parameter}={value}").status_code == 200


@pytest.mark.parametrize("key", [HUGE, "0", "-1", "x", "\0", "", "1,2"])
@pytest.mark.parametrize("name", ["initial-groups", "initial-user_permissions", "groups"])
def test_the_form_of_a_user_takes_any_key(browser, user, name, key):
    path = f"{ADMIN}user/{user.pk}/change/"
    data = fields(browser.get(path), "user_form")
    assert browser.post(path, data | {name: [key]}).status_code in (200, 302)


@pytest.mark.parametrize("key", [HUGE, "0", "-1", "x", "\0", ""])
@pytest.mark.parametrize("name", ["form-0-id", "form-TOTAL_FORMS", "form-INITIAL_FORMS"])
def test_the_list_of_memberships_takes_any_key(browser, name, key):
    data = fields(browser.get(f"{ADMIN}membership/"), "changelist-form")
    data |= {name: key, "form-0-role": "Team Manager", "_save": "Save"}
    assert browser.post(f"{ADMIN}membership/", data).status_code in (200, 302, 400)


@pytest.mark.parametrize("key", [HUGE, "0", "-1", "x", "\0", ""])
@pytest.mark.parametrize("name", ["memberships-0-id", "memberships-0-team", "memberships-0-user"])
def test_the_memberships_of_a_user_take_any_key(browser, user, name, key):
    path = f"{ADMIN}user/{user.pk}/change/"
    data = fields(browser.get(path), "user_form")
    assert browser.post(path, data | {name: key}).status_code in (200, 302)


@pytest.mark.parametrize("key", [HUGE, "0", "_00", "x"])
@pytest.mark.parametrize("page", ["change", "delete", "history"])
@pytest.mark.parametrize("name", [name for name in LISTS if name != "change"])
def test_the_page_of_what_is_not_there_leads_away(browser, name, page, key):
    assert browser.get(f"{ADMIN}{name}/{key}/{page}/").status_code == 302
