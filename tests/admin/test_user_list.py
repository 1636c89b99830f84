"""The list of users: its columns, search, filters and cost."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin.pages import USERS
from tests.factories import ChoiceFactory, MembershipFactory, UserFactory


def test_the_list_shows_what_operators_look_for(root_browser, user, team):
    row = root_browser.get(USERS + f"?q={user.login_id}").content.decode()
    for shown in (user.get_full_name(), user.login_id, user.email_id, "active", team.name):
        assert shown in row


def test_the_list_costs_no_query_for_each_user(root_browser, team, business):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert root_browser.get(USERS).status_code == 200
        return len(queries)

    for user in UserFactory.create_batch(3):
        MembershipFactory(user=user, team=team)
    few = cost()
    for user in UserFactory.create_batch(197):
        MembershipFactory(user=user, team=team)
    # 1, 2. the session, and its user
    # 3. the columns that the operator has chosen
    # 4. the attribute definitions, for the columns and filters
    # 5. how many users the filters leave
    # 6. the users, with whether each is logged in
    # 7. their teams
    # 8. the teams, for the filter
    assert cost() == few <= 8


@pytest.mark.parametrize("term", ["Zoë", "finder", "FIND@desk"])
def test_the_list_is_searched_by_name_login_id_and_email(root_browser, user, term):
    found = UserFactory(first_name="Zoë", login_id="finder", email_id="find@desk.example")
    shown = root_browser.get(USERS, {"q": term}).context["cl"].result_list
    assert list(shown) == [found]


@pytest.mark.parametrize(
    "name", ["business", "business unit__in", "7", 'it\'s "odd"', "größe", "a.b[0]"]
)
@pytest.mark.parametrize("type_", ["choice", "multiple_choice"])
def test_the_list_is_filtered_by_a_custom_attribute(root_browser, name, type_):
    definition = ChoiceFactory(name=name, type=type_, choices=["Bank", "Banking", "Größe"])
    values = {
        choice: choice if type_ == "choice" else ["x", choice] for choice in definition.choices
    }
    users = {
        choice: UserFactory(custom_attributes={name: value, "other": "Bank"})
        for choice, value in values.items()
    }
    UserFactory(custom_attributes={"other": "Bank"})
    for choice, user in users.items():
        response = root_browser.get(USERS, {f"custom_{definition.pk}": choice})
        assert list(response.context["cl"].result_list) == [user]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"status__exact": "inactive"}, 1),
        ({"role_type__exact": "Administrative"}, 1),
        ({"accepting_chats__exact": "1"}, 1),
    ],
)
def test_the_list_is_filtered(root_browser, query, count):
    UserFactory(status="inactive")
    UserFactory(accepting_chats=True)
    assert root_browser.get(USERS, query).context["cl"].result_count == count


def test_the_list_is_filtered_by_team(root_browser, user, team):
    MembershipFactory()
    response = root_browser.get(USERS, {"teams__id__exact": team.pk})
    assert list(response.context["cl"].result_list) == [user]


def test_the_list_counts_nothing_for_its_filters(root_browser, business):
    """It would count for each choice of each definition."""
    page = root_browser.get(USERS, {"_facets": "True"}).content.decode()
    assert "> Retail</label>" in page
    assert "Retail (" not in page
