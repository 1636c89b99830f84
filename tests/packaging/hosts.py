"""Projects that a stranger would write, each around the app in a way of its own."""

SETTINGS = """
SECRET_KEY = "the host's"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "host.urls"
INSTALLED_APPS = [
    "users",
    "rest_framework",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "host.sqlite3",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
}
STATIC_URL = "static/"
AUTH_USER_MODEL = "users.User"
SESSION_ENGINE = "users.sessions"
AUTHENTICATION_BACKENDS = ["users.backends.LoginBackend"]
"""

URLS = """
from django.contrib import admin
from django.urls import include, path

from users.forms import LoginForm

admin.site.login_form = LoginForm
urlpatterns = [path("api/", include("users.urls")), path("admin/", admin.site.urls)]
"""

#: (a) The app's own user model.
OWN_USER = {"host/settings.py": SETTINGS, "host/urls.py": URLS}

#: (b) A subclass with two fields more, one of them generated, under another app label, which other
#: code refers to.
SUBCLASS = {
    "host/settings.py": SETTINGS.replace('"users.User"', '"people.Agent"').replace(
        '    "users",\n', '    "people",\n    "users",\n'
    )
    + 'DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"\n',
    "host/urls.py": URLS,
    "people/__init__.py": "",
    "people/migrations/__init__.py": "",
    "people/models.py": """
from django.db import models

from users.models import AbstractUser


class Agent(AbstractUser):
    desk = models.CharField(max_length=20, default="none")
    seat = models.GeneratedField(
        expression=models.F("desk"), output_field=models.CharField(max_length=20), db_persist=True
    )
""",
}

#: (c) Another prefix, settings of its own for the REST framework, signed tokens of its own, and the
#: session engine forgotten.
OWN_AUTHENTICATION = {
    "host/settings.py": SETTINGS.replace('SESSION_ENGINE = "users.sessions"\n', "")
    + """
REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.BrowsableAPIRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day"},
}
""",
    "host/views.py": """
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from users.api.views.user import UserView


class SignedAuthentication(BaseAuthentication):
    def authenticate(self, request):
        scheme, _, token = request.headers["Authorization"].partition(" ")
        try:
            return AnonymousUser(), signing.loads(token, max_age=60)
        except signing.BadSignature as error:
            raise AuthenticationFailed from error


class HostView(UserView):
    authentication_classes = [SignedAuthentication]

    def get_team_id(self, request):
        team = int(request.headers["teamid"])
        return team if team in request.auth["teams"] else None
""",
    "host/urls.py": """
from django.contrib import admin
from django.urls import path

from host.views import HostView

urlpatterns = [
    path("people-ops/v2/users/<str:user_id>", HostView.as_view()),
    path("admin/", admin.site.urls),
]
""",
}

#: Seeds, and prints the ids of (the user, the team).
SEED = """
from django.contrib.auth import get_user_model
from users.models import Membership, Team

User = get_user_model()
user = User.objects.create_user("asha", "asha@desk.example", first_name="Asha")
User.objects.create_superuser("ada", "ada@desk.example", "correct horse", first_name="Ada")
team = Team.objects.create(name="Support")
Membership.objects.create(user=user, team=team)
print(user.pk, team.pk)
"""

#: Makes the call as argument 1, 2 and 3 say (path, token, team), and visits the admin site.
VISIT = """
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
"""
