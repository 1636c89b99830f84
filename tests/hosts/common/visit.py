"""Makes the call (path, token, team), visits the admin site, and prints the answers."""

import json
import sys

import django

django.setup()
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

path, token, team = sys.argv[1:]
headers = {"Authorization": f"Bearer {token}", "teamid": team}


def call(body, **more):
    response = Client().patch(path, body, "application/json", headers=headers | more)
    return [response.status_code, response.json()["status_code"], response.json()["response"]]


User = get_user_model()
operator = Client()
logged_in = operator.login(username="ADA", password="correct horse")
user = User.objects.get(login_id="asha")
admin = f"admin:{User._meta.app_label}_{User._meta.model_name}"
page = operator.get(reverse(f"{admin}_change", args=[user.pk]))
listed = operator.get(reverse(f"{admin}_changelist"))
print(
    json.dumps(
        {
            "updated": call({"first_name": "Zoë", "skill_attributes": {"level": 3}}),
            "invalid": call({"desk": "4"}),
            "stranger": call({"first_name": "B"}, Authorization="Bearer x"),
            "other team": call({"first_name": "B"}, teamid="99"),
            "logged in": logged_in,
            "pages": [page.status_code, listed.status_code],
            "page": page.content.decode(),
        }
    )
)
