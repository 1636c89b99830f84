"""A project with an admin site and an index of its own, in local time, and sessions of its own."""

import json

import pytest

from tests.hosts import Host


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    host = Host(tmp_path_factory.mktemp("project"), "own_admin_site")
    host.manage("check")
    host.manage("migrate", "--verbosity=0")
    return json.loads(host.run("visit.py").stdout)


def test_every_link_leads_to_a_page_of_the_same_site(seen):
    assert seen["failed"] == {}
    assert seen["elsewhere"] == ["/"]  # "View site"
    assert {f"/ops/users/{page}" for page in PAGES} <= set(seen["kinds"])


PAGES = (
    "user/",
    "user/add/",
    "user/N/change/",
    "user/N/delete/",
    "user/N/history/",
    "user/N/password/",
    "user/export/",
    "user/import/",
    "team/N/delete/",
    "membership/",
    "membership/add-members/",
    "attributedefinition/N/choices/",
    "accesstoken/N/change/",
    "change/N/change/",
)


def test_its_index_shows_the_overview(seen):
    assert "Good morning" in seen["index"]
    assert "Skills of active users" in seen["index"]


def test_what_is_changed_leads_back_to_its_pages(seen):
    users, definitions = "/ops/users/user/", "/ops/users/attributedefinition/1/change/"
    assert seen["led to"] == [users, users, users, users, definitions, "/ops/users/team/"]
    assert (seen["teams"], seen["business"], seen["undone"]) == (["Sales"], "Shops", 200)
    assert seen["by"] == [["admin", "ada"], ["code", ""]]
