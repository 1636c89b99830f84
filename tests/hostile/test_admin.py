"""Whatever is sent to the admin site, no page fails."""

from urllib.parse import urlencode

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.admin.conftest import browser_of
from tests.factories import AdministratorFactory
from tests.hostile.strategies import generated, numbers, texts
from users.admin.attribute_fields import definition_field_name
from users.models import AttributeDefinition

pytestmark = pytest.mark.django_db

User = get_user_model()


@pytest.fixture
def page(user):
    return browser_of(AdministratorFactory(is_superuser=True)), (
        f"/admin/users/user/{user.pk}/change/"
    )


@settings(generated, max_examples=30)
@given(
    data=st.dictionaries(
        st.sampled_from(
            [
                "first_name",
                "last_name",
                "status",
                "login_id",
                "email_id",
                "job_description",
                "custom_1",
                "skill_1",
                "groups",
                "remove_skill_attributes",
                "initial-first_name",
                "memberships-TOTAL_FORMS",
                "memberships-INITIAL_FORMS",
                "memberships-0-team",
            ]
        )
        | texts,
        texts | st.lists(texts, max_size=3) | numbers.map(str),
        max_size=10,
    )
)
def test_any_form(page, user, data):
    browser, path = page
    for definition in AttributeDefinition.objects.all():
        data[definition_field_name(definition)] = data.get(f"{definition.kind}_1", "")
    content = urlencode({encoded(name): encoded(value) for name, value in data.items()}, doseq=True)
    response = browser.post(path, content, "application/x-www-form-urlencoded")
    assert response.status_code in (200, 302)
    User.objects.get(pk=user.pk).full_clean()


OTHER_FORMS = {
    "/admin/login/": ["username", "password", "next"],
    "/admin/users/user/add/": ["first_name", "login_id", "email_id", "password1", "password2"],
    "/admin/users/team/add/": ["name"],
    "/admin/users/membership/add/": ["user", "team", "role"],
    "/admin/users/accesstoken/add/": ["name", "teams", "days"],
    "/admin/users/attributedefinition/add/": ["kind", "name", "type", "choices", "description"],
}


@pytest.mark.parametrize("path", OTHER_FORMS)
@settings(generated, max_examples=40)
@given(data=st.data())
def test_any_other_form(page, user, path, data):
    browser, _ = page
    if path == "/admin/login/":
        browser = Client()
    value = texts | numbers.map(str) | st.lists(texts | numbers.map(str), max_size=3)
    form = data.draw(st.dictionaries(st.sampled_from(OTHER_FORMS[path]), value))
    content = urlencode({name: encoded(value) for name, value in form.items()}, doseq=True)
    response = browser.post(path, content, "application/x-www-form-urlencoded")
    assert response.status_code in (200, 302, 429)


LISTS = ["user", "team", "membership", "accesstoken", "attributedefinition", "change"]


@pytest.mark.parametrize("name", LISTS)
@settings(generated, max_examples=20)
@given(
    selected=st.lists(texts | numbers.map(str), min_size=1, max_size=3),
    action=st.sampled_from(["delete_selected", "deactivate", "revoke", "rotate"]) | texts,
    query=st.dictionaries(
        st.sampled_from(
            ["q", "o", "p", "status__exact", "teams__id__exact", "door", "by", "since", "login_id"]
        ),
        texts,
    ),
)
def test_any_action(page, user, name, selected, action, query):
    browser, _ = page
    content = {"_selected_action": encoded(selected), "action": encoded(action)}
    response = browser.post(
        f"/admin/users/{name}/?{urlencode({key: encoded(value) for key, value in query.items()})}",
        urlencode(content, doseq=True),
        "application/x-www-form-urlencoded",
    )
    assert response.status_code in (200, 302)


def encoded(value):
    if isinstance(value, list):
        return [encoded(item) for item in value]
    return value.encode("utf-8", "surrogatepass")
