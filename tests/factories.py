from datetime import timedelta

import factory
from django.contrib.auth import get_user_model
from django.utils import timezone

from users.models import AccessToken, AttributeDefinition, Membership, Team

PASSWORD = "correct horse battery staple"


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = get_user_model()
        skip_postgeneration_save = True

    first_name = "Asha"
    last_name = "Rao"
    login_id = factory.Sequence(lambda n: f"agent{n}")
    email_id = factory.LazyAttribute(lambda user: f"{user.login_id}@desk.example")
    password = factory.django.Password(PASSWORD)


class AdministratorFactory(UserFactory):
    login_id = factory.Sequence(lambda n: f"administrator{n}")
    role_type = "Administrative"


class TeamFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Team

    name = factory.Sequence(lambda n: f"Team {n}")


class MembershipFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    team = factory.SubFactory(TeamFactory)


class AttributeDefinitionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = AttributeDefinition

    kind = "custom"
    name = factory.Sequence(lambda n: f"attribute{n}")
    type = "text"


class ChoiceFactory(AttributeDefinitionFactory):
    type = "choice"
    choices = factory.LazyFunction(lambda: ["Retail", "Banking"])


def issue_token(*teams, scim_team=None, **fields) -> str:
    """Make an access token granted `teams`, with `fields` set on it, and return the secret."""
    token, secret = AccessToken.objects.issue("HR system", teams, scim_team=scim_team)
    AccessToken.objects.filter(pk=token.pk).update(**fields)
    return secret


def an_hour_ago():
    return timezone.now() - timedelta(hours=1)
