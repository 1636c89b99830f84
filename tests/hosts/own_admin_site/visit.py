"""Follows all links of the admin site, makes some changes, and prints what came of it."""

import json
import re
from collections import Counter

import django

django.setup()
from datetime import timedelta
from html import unescape
from urllib.parse import urljoin

from django.contrib.auth import get_user_model
from django.test import Client
from django.test.utils import setup_test_environment
from django.utils import timezone

from tests.admin.pages import send
from users.acting import acting
from users.models import AccessToken, AttributeDefinition, Change, Membership, Team

setup_test_environment()
User = get_user_model()
root = User.objects.create_superuser("ada", "ada@desk.example", "correct horse", first_name="Ada")
business = AttributeDefinition.objects.create(
    kind="custom", name="business", type="choice", choices=["Retail", "Banking"]
)
languages = AttributeDefinition.objects.create(
    kind="skill", name="languages", type="multiple_choice", choices=["en", "hi"]
)
team, other = (Team.objects.create(name=name) for name in ("Support", "Sales"))
asha = User.objects.create_user("asha", "asha@desk.example", first_name="Asha")
Membership.objects.create(user=asha, team=team)
AccessToken.objects.issue("HR", [team], timezone.now() + timedelta(days=3))
with acting("admin", by=root):
    asha.custom_attributes = {"business": "Retail"}
    asha.skill_attributes = {"languages": ["hi"]}
    asha.save()

browser = Client()
log_in = {"username": "ADA", "password": "correct horse"}
assert browser.post("/ops/login/?next=/ops/", log_in).status_code == 302

# Neither files nor the way out; of pages that differ by their keys and queries, twelve each.
followed = re.compile(r"/ops/(?!logout|jsi18n)")
failed, elsewhere, seen, left = {}, set(), Counter(), ["/ops/"]
known = set(left)
while left:
    address = left.pop()
    page = browser.get(address)
    if page.status_code != 200:
        failed[address] = page.status_code
    if page.status_code != 200 or page.streaming:
        continue
    text = page.content.decode()
    links = {urljoin(address, unescape(link)) for link in re.findall(r' href="([^"#]+)', text)}
    elsewhere |= {link for link in links if not re.match(r"/(ops|static)/", link)}
    for link in sorted(links - known):
        kind = re.sub(r"\d+", "N", link.partition("?")[0])
        if followed.match(link) and seen[kind] < 12:
            seen[kind] += 1
            known.add(link)
            left.append(link)

people = "/ops/users/user/"
new = {
    "first_name": "Ravi",
    "login_id": "ravi",
    "email_id": "ravi@desk.example",
    "usable_password": "false",
    f"skill_{languages.pk}": ["hi"],
    "memberships-TOTAL_FORMS": "1",
    "memberships-0-team": team.pk,
    "memberships-0-role": "Team Agent",
}
made = send(browser, f"{people}add/", "user_form", **new)
ravi = User.objects.get(login_id="ravi")
saved = send(browser, f"{people}{ravi.pk}/change/", "user_form", job_description="Agent")
columns = browser.post(f"{people}columns/", {"column": ["id", "login_id"]})
move = {"action": "move_to_team", "_selected_action": [ravi.pk], "confirmed": "yes"}
moved = browser.post(people, {**move, "left": team.pk, "joined": other.pk})
choices = f"/ops/users/attributedefinition/{business.pk}/choices/"
renamed = {"choice": "Retail", "new_name": "Shops", "confirmed": "rename"}
renamed = browser.post(choices, renamed)
undo = Change.objects.filter(user_id=asha.pk, action="updated").first()
undone = browser.get(f"{people}{asha.pk}/change/?undo={undo.pk}")
deleted = browser.post(f"/ops/users/team/{team.pk}/delete/", {"post": "yes"})
asha.refresh_from_db()
print(
    json.dumps(
        {
            "failed": failed,
            "elsewhere": sorted(elsewhere),
            "kinds": sorted(seen),
            "index": browser.get("/ops/").content.decode(),
            "undone": undone.status_code,
            "led to": [
                each.get("Location") for each in (made, saved, columns, moved, renamed, deleted)
            ],
            "teams": [str(team) for team in ravi.teams.all()],
            "business": asha.custom_attributes["business"],
            "by": sorted(set(Change.objects.values_list("door", "by_name"))),
        }
    )
)
