"""The pages of the history: who changed what of a user, by which door; and undoing it."""

from datetime import UTC, datetime, timedelta
from itertools import chain
from urllib.parse import quote

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from tests.admin.conftest import browser_of
from tests.admin.pages import USERS, errors, fields, messages, save_user, send, user_page
from tests.database import store, stored
from tests.factories import (
    AdministratorFactory,
    AttributeDefinitionFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
)
from users import feed
from users.acting import acting
from users.models import AccessToken, Change, Membership

CHANGES = "/admin/users/change/"


def history(browser, user, **query):
    response = browser.get(f"{USERS}{user.pk}/history/", query)
    assert response.status_code == 200
    return response


def lines(response):
    """Return what each row on the page says of its change: texts of label, before and after."""
    return [
        [(value.label, value.before, value.after) for value in row.values]
        for row in response.context["rows"]
    ]


def change(user, **values):
    for name, value in values.items():
        setattr(user, name, value)
    user.save()
    return Change.objects.latest("id")


def all_pages(browser, path):
    """Yield the ids of the changes on each page, followed by its links."""
    query = "?"
    while query:
        page = browser.get(f"{path}{query}")
        yield [row.change.pk for row in page.context["rows"]]
        query = page.context["older_url"]


def make_changes(user, number, **values):
    """Put `number` changes of `user` into the history, a minute apart, the last one now."""
    now = timezone.now()
    values = {"door": "api", "before": {"first_name": "A"}, "after": {"first_name": "B"}, **values}
    changes = (
        Change(
            user_id=user.pk,
            login_id=user.login_id,
            action="updated",
            at=now - timedelta(minutes=number - each),
            **values,
        )
        for each in range(1, number + 1)
    )
    Change.objects.bulk_create(changes, batch_size=500)


# The page of a user.


def test_it_shows_what_was_and_what_is_field_by_field(root_browser, user):
    Change.objects.all().delete()
    change(
        user,
        status="inactive",
        job_description="",
        skill_attributes={"chess": 4, "languages": ["de", "en"]},
    )
    assert lines(history(root_browser, user)) == [
        [
            ("Status", "active", "inactive"),
            ("Job description", "Agent", "(empty)"),
            ("Skill attributes: chess", "3", "4"),
            ("Skill attributes: languages", None, "de, en"),
        ]
    ]


def test_it_names_teams_where_they_are_there_still(root_browser, user, team):
    Change.objects.all().delete()
    gone = TeamFactory(name="Gone")
    key = gone.pk
    Membership.objects.filter(user=user).get().delete()
    MembershipFactory(user=user, team=gone, role="Team Manager")
    gone.delete()
    assert lines(history(root_browser, user)) == [
        [(f"Team: {key} (deleted)", "Team Manager", None)],
        [(f"Team: {key} (deleted)", None, "Team Manager")],
        [(f"Team: {team.name}", "Team Agent", None)],
    ]


def test_it_says_who_by_which_door_with_a_link(root_browser, user, token, superuser):
    token = AccessToken.objects.get()
    with acting("api", by=token):
        change(user, first_name="B")
    with acting("admin", by=superuser):
        change(user, first_name="C")
    with acting("command"):
        change(user, first_name="D")
    page = history(root_browser, user)
    assert [(row.change.door, row.change.by_name, row.by_url) for row in page.context["rows"]][
        :3
    ] == [
        ("command", "", ""),
        ("admin", "root", user_page(superuser)),
        ("api", "HR system", f"/admin/users/accesstoken/{token.pk}/change/"),
    ]
    token.delete()
    assert history(root_browser, user).context["rows"][2].by_url == ""


def test_it_links_to_what_the_viewer_may_see_alone(user, token, superuser):
    viewer = AdministratorFactory()
    viewer.user_permissions.set(Permission.objects.filter(codename="view_user"))
    with acting("api", by=AccessToken.objects.get()):
        change(user, first_name="B")
    [row, *_] = history(browser_of(viewer), user).context["rows"]
    assert (row.by_url, row.undo_url) == ("", "")


def test_who_may_not_see_a_user_sees_no_history(user):
    browser = browser_of(AdministratorFactory())
    assert browser.get(f"{USERS}{user.pk}/history/").status_code == 403
    assert browser.get(CHANGES).status_code == 403


def test_it_is_filtered_by_door_actor_and_period(root_browser, user):
    Change.objects.all().delete()
    make_changes(user, 1, door="scim", by_type="access_token", by_id=1, by_name="Okta")
    make_changes(user, 1, door="admin", by_type="user", by_id=1, by_name="Ada")
    Change.objects.filter(door="scim").update(at=datetime(2026, 3, 31, 23, 59, tzinfo=UTC))

    def doors(**query):
        return [row.change.door for row in history(root_browser, user, **query).context["rows"]]

    assert doors() == ["admin", "scim"]
    assert doors(door="scim") == ["scim"]
    assert doors(by="Ada") == ["admin"]
    assert doors(since="2026-03-31", until="2026-03-31") == ["scim"]
    assert doors(since="2026-04-01") == ["admin"]
    assert doors(until="2026-03-30") == []
    assert doors(until="2026-03-31", by="Ada") == []


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"since": "2026-02-30"}, "Enter a valid date."),
        ({"until": "yesterday"}, "Enter a valid date."),
        ({"since": "2026-03-02", "until": "2026-03-01"}, "Must not be before “From”."),
        ({"door": "window"}, "Select a valid choice. window is not one of the available choices."),
    ],
)
def test_a_filter_that_is_not_valid_is_an_error_and_not_an_empty_page(
    root_browser, user, query, error
):
    for path in f"{USERS}{user.pk}/history/", CHANGES:
        page = root_browser.get(path, query)
        text = page.content.decode()
        assert page.context["filter_form"].errors == {list(query)[-1]: [error]}
        assert error in text
        assert 'class="errornote"' in text
        assert "No changes." not in text


def test_it_has_fifty_a_page_the_newest_first_and_none_twice(root_browser, user):
    Change.objects.all().delete()
    make_changes(user, 120)
    pages = list(all_pages(root_browser, f"{USERS}{user.pk}/history/"))
    assert list(map(len, pages)) == [50, 50, 20]
    assert list(chain(*pages)) == list(Change.objects.order_by("-id").values_list("pk", flat=True))


@pytest.mark.parametrize("path", [f"{USERS}{{}}/history/", "/admin/users/change/"])
def test_a_page_of_large_changes_ends_before_it_is_full(root_browser, user, path, monkeypatch):
    monkeypatch.setattr(feed, "MAX_TEXT", 1)
    Change.objects.all().delete()
    make_changes(user, 3)
    assert list(map(len, all_pages(root_browser, path.format(user.pk)))) == [1, 1, 1]


def test_the_pages_keep_the_filters(root_browser, user):
    make_changes(user, 60, door="scim")
    make_changes(user, 60, door="api")
    older = history(root_browser, user, door="scim").context["older_url"]
    page = root_browser.get(f"{USERS}{user.pk}/history/{older}")
    assert {row.change.door for row in page.context["rows"]} == {"scim"}
    assert page.context["newest_url"] == "?door=scim"


def test_ten_thousand_changes_take_as_many_queries_as_ten(
    root_browser, user, token, django_assert_num_queries
):
    by = {"by_type": "access_token", "by_id": AccessToken.objects.get().pk, "by_name": "HR"}
    memberships = {"memberships": {str(TeamFactory().pk): "Team Agent"}}
    make_changes(user, 10, before=memberships, **by)
    history(root_browser, user)
    # 1-2. the session and its user  3. the user  4. the changes  5. users  6. tokens  7. teams
    # 8. Django's own log
    with django_assert_num_queries(8):
        history(root_browser, user)
    make_changes(user, 9_990, before=memberships, **by)
    with django_assert_num_queries(8):
        history(root_browser, user)


def test_of_djangos_own_log_it_shows_what_says_more(root_browser, user):
    store(user, role_type="Administrative")
    save_user(root_browser, user, first_name="Zoë")
    save_user(root_browser, user, groups=[Group.objects.create(name="Bosses").pk])
    assert LogEntry.objects.count() == 2
    [entry] = history(root_browser, user).context["rights_log"]
    assert entry.get_change_message() == "Changed Groups."


# The list of all changes.


def logins(browser, **query):
    response = browser.get(CHANGES, query)
    assert response.status_code == 200
    return [row.change.login_id for row in response.context["rows"]]


def test_the_list_shows_all_changes_and_links_to_who_is_there_still(root_browser, user, superuser):
    gone = UserFactory(login_id="gone")
    gone.delete()
    [deleted, *_] = root_browser.get(CHANGES).context["rows"]
    assert (deleted.change.action, deleted.change.login_id, deleted.user_url) == (
        "deleted",
        "gone",
        "",
    )
    change(user, first_name="B")
    [row, *_] = root_browser.get(CHANGES).context["rows"]
    assert row.user_url == user_page(user)


def test_the_list_is_searched_by_login_id_now_or_once(root_browser, user):
    Change.objects.all().delete()
    old = user.login_id
    change(user, first_name="B")
    change(user, login_id="Renamed")
    change(UserFactory(login_id="other"), first_name="B")
    for name in (old, "RENAMED"):
        assert logins(root_browser, login_id=name) == [old, old], name
    gone = UserFactory(login_id="gone")
    gone.delete()
    assert logins(root_browser, login_id="gone") == ["gone", "gone"]
    assert logins(root_browser, login_id="nobody") == []


def test_the_list_has_fifty_a_page_by_time_and_none_twice(root_browser, user):
    Change.objects.all().delete()
    make_changes(user, 60)
    same_time = timezone.now()
    Change.objects.update(at=same_time)
    make_changes(user, 60)
    Change.objects.filter(pk=Change.objects.earliest("id").pk).update(at=timezone.now())
    seen = list(chain(*all_pages(root_browser, CHANGES)))
    assert seen == list(Change.objects.order_by("-at", "-id").values_list("pk", flat=True))


def test_a_page_of_the_list_takes_few_queries(root_browser, user, django_assert_num_queries):
    make_changes(user, 60)
    root_browser.get(CHANGES)
    # 1-2. the session and its user  3. the changes  4. users  5. teams
    with django_assert_num_queries(5):
        root_browser.get(CHANGES)


def test_a_changes_own_page_shows_it_and_offers_no_form(root_browser, user, superuser):
    with acting("admin", by=superuser):
        made = change(user, first_name="B")
    page = root_browser.get(f"{CHANGES}{made.pk}/change/")
    text = page.content.decode()
    assert "<del>Asha</del>" in text
    assert f'href="{user_page(superuser)}"' in text
    assert f'href="{user_page(user)}?undo={made.pk}"' in text
    assert 'name="_save"' not in text
    assert root_browser.post(f"{CHANGES}{made.pk}/change/", {}).status_code == 403
    assert root_browser.post(f"{CHANGES}{made.pk}/delete/", {"post": "yes"}).status_code == 403
    assert root_browser.get(f"{CHANGES}add/").status_code == 403


@pytest.mark.parametrize("key", ["0", "9" * 20, "_00", "x"])
def test_the_page_of_a_change_that_is_not_there_leads_away(root_browser, key):
    assert root_browser.get(f"{CHANGES}{key}/change/").status_code == 302


def test_who_may_view_changes_sees_the_list_without_users_rights(user):
    viewer = AdministratorFactory()
    viewer.user_permissions.set(Permission.objects.filter(codename="view_change"))
    made = change(user, first_name="B")
    page = browser_of(viewer).get(CHANGES)
    assert page.context["rows"][0].user_url == ""
    assert browser_of(viewer).get(f"{CHANGES}{made.pk}/change/").status_code == 200


# Undoing.


def undo_page(user, made):
    return f"{user_page(user)}?undo={getattr(made, 'pk', made)}"


def test_undoing_fills_the_form_in_and_saving_it_is_a_change_of_its_own(
    root_browser, user, business, location, superuser
):
    before = Change.objects.count()
    made = change(
        user,
        first_name="Bruno",
        login_using_email=True,
        custom_attributes={"business": "Banking", "location": "Berlin"},
    )
    change(user, last_name="Meanwhile")
    [row] = [row for row in history(root_browser, user).context["rows"] if row.change.pk == made.pk]
    assert row.undo_url == undo_page(user, made)
    page = root_browser.get(row.undo_url)
    assert messages(page) == [
        "Filled in as before the change: First name, business, location, May log in with the email "
        "address. Check the page, then save it."
    ]
    assert stored(user).first_name == "Bruno"
    assert Change.objects.count() == before + 2
    saved = root_browser.post(row.undo_url, fields(page, "user_form"))
    assert saved.status_code == 302
    assert (stored(user).first_name, stored(user).last_name) == ("Asha", "Meanwhile")
    assert stored(user).login_using_email is False
    assert stored(user).custom_attributes == {"business": "Retail"}
    undone = Change.objects.latest("id")
    assert (undone.before, undone.after) == (made.after, made.before)
    assert (undone.door, undone.by_id) == ("admin", superuser.pk)


def test_what_was_changed_between_opening_and_saving_is_asked_about(root_browser, call, user):
    made = change(user, first_name="Bruno")
    page = root_browser.get(undo_page(user, made))
    call({"first_name": "Meanwhile"})
    response = root_browser.post(undo_page(user, made), fields(page, "user_form"))
    assert list(errors(response)) == ["first_name"]
    assert stored(user).first_name == "Meanwhile"


@pytest.mark.parametrize(
    ("type_", "old", "new"),
    [
        ("choice", "Bakery", "Retail"),
        ("multiple_choice", ["Bakery", "Retail"], ["Retail"]),
        ("number", "many", 1),
        ("boolean", "perhaps", True),
    ],
)
def test_a_value_that_its_definition_no_longer_allows_is_refused_at_its_field(
    root_browser, user, type_, old, new
):
    choices = ["Retail"] if "choice" in type_ else []
    definition = AttributeDefinitionFactory(name="a", type=type_, choices=choices)
    Change.objects.all().delete()
    change(user, custom_attributes={"a": old})
    made = change(user, custom_attributes={"a": new})
    response = send(root_browser, undo_page(user, made), "user_form")
    assert list(errors(response)) == [f"custom_{definition.pk}"]
    assert stored(user).custom_attributes == {"a": new}


def test_an_attribute_that_nobody_defined_is_removed_again_or_named(root_browser, user):
    made = change(user, skill_attributes={"chess": 3, "go": 1})
    send(root_browser, undo_page(user, made), "user_form")
    assert stored(user).skill_attributes == {"chess": 3}
    root_browser.get(CHANGES)  # which shows the message that it was saved
    made = change(user, skill_attributes={"chess": 4})
    page = root_browser.get(undo_page(user, made))
    assert messages(page) == [
        "Not filled in, to be undone by hand: Skill attributes: chess: 3",
    ]


def test_memberships_are_named_to_be_undone_by_hand(root_browser, user, team):
    MembershipFactory(user=stored(user))
    made = Change.objects.latest("id")
    made.before |= {"first_name": "Bruno", "password": "set"}
    made.save()
    page = root_browser.get(undo_page(user, made))
    [_, left] = messages(page)
    name = user.memberships.latest("id").team.name
    assert left == f"Not filled in, to be undone by hand: Team: {name}: —"


def test_what_the_operator_may_not_edit_is_not_filled_in(staff_browser, user):
    made = change(user, role_type="Administrative", active_chats=3, first_name="Bruno")
    page = staff_browser.get(undo_page(user, made))
    assert messages(page)[1] == (
        "Not filled in, to be undone by hand: Role type: Customer Care; Active chats: 0"
    )
    staff_browser.post(user_page(user), fields(page, "user_form"))
    assert (stored(user).role_type, stored(user).first_name) == ("Administrative", "Asha")


def test_no_password_is_undone(root_browser, user):
    user.set_password("other")
    made = change(user)
    assert history(root_browser, user).context["rows"][0].undo_url == ""
    page = root_browser.get(undo_page(user, made))
    assert messages(page) == ["There is no such change of this user to be undone."]
    old = stored(user).password
    root_browser.post(user_page(user), fields(page, "user_form"))
    assert stored(user).password == old


def test_what_has_been_undone_already_is_said_to_be(root_browser, user, business):
    made = change(
        user, first_name="Bruno", custom_attributes={"business": "Banking"}, active_chats=2
    )
    change(user, custom_attributes={"business": "Retail"}, active_chats=0)
    page = root_browser.get(undo_page(user, made))
    assert messages(page) == [
        "Filled in as before the change: First name. Check the page, then save it."
    ]
    change(user, first_name="Asha")
    page = root_browser.get(undo_page(user, made))
    assert messages(page) == ["Nothing to undo: the user has the old values already."]


def test_only_who_may_change_the_user_undoes(staff_browser, superuser, user):
    made = change(superuser, first_name="Bruno")
    assert history(staff_browser, superuser).context["rows"][0].undo_url == ""
    assert staff_browser.get(undo_page(superuser, made)).status_code == 403


@pytest.mark.parametrize(
    "key", ["", "0", "-1", "x", "\0", "1,2", "9" * 20, "9" * 5000, "²", "created", "other"]
)
def test_what_is_no_update_of_this_user_is_said_not_to_be_one(root_browser, user, key):
    other = change(UserFactory(), first_name="B")
    created = Change.objects.get(user_id=user.pk, action="created")
    key = {"created": created.pk, "other": other.pk}.get(key, key)
    page = root_browser.get(f"{user_page(user)}?undo={quote(str(key))}")
    assert page.status_code == 200
    assert messages(page) == ["There is no such change of this user to be undone."]
