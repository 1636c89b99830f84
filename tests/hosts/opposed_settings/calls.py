"""Makes the calls, and prints what was answered."""

import json

import django

django.setup()
from django.db.models.signals import post_save
from django.test import Client

from users.models import AccessToken, Membership, Team, User

user = User.objects.create_user("asha", "asha@desk.example", first_name="Asha")
team = Team.objects.create(name="Support")
Membership.objects.create(user=user, team=team)
_, secret = AccessToken.objects.issue("HR", [team])
client = Client(raise_request_exception=False)
headers = {"Authorization": f"Bearer {secret}", "teamid": str(team.pk), "Accept": "text/html"}


def call(body, **more):
    response = client.patch(
        f"/internal/staff/users/{user.pk}", body, "application/json", headers=headers | more
    )
    return [response.status_code, response["Content-Type"], response.json()]


def fail(**kwargs):
    raise RuntimeError


answers = {
    "success": call({"first_name": "Zoë", "job_description": "x" * 20}),
    "invalid": call({"status": "away"}),
    "token": call({"first_name": "B"}, Authorization="Bearer x"),
    "headers": call({"first_name": "B"}, teamid=""),
}
post_save.connect(fail, sender=User)
answers["unforeseen"] = call({"first_name": "B"})
answers["first_name"] = User.objects.get().first_name
print(json.dumps(answers))
