"""Makes a user and a superuser, and prints the ids of the user and the team."""

import django

django.setup()
from django.contrib.auth import get_user_model

from users.models import Membership, Team

User = get_user_model()
user = User.objects.create_user("asha", "asha@desk.example", first_name="Asha")
User.objects.create_superuser("ada", "ada@desk.example", "correct horse", first_name="Ada")
team = Team.objects.create(name="Support")
Membership.objects.create(user=user, team=team)
print(user.pk, team.pk)
