import pytest

from tests.database import forget_creations
from tests.factories import MembershipFactory, TeamFactory, UserFactory, issue_token
from tests.scim.calls import Provider


@pytest.fixture
def scim_team(db):
    """The team that holds whom the identity provider makes."""
    return TeamFactory(name="Provisioned")


@pytest.fixture
def team(scim_team):
    """A team of an operator's, in which the provider puts users."""
    return TeamFactory(name="Support")


@pytest.fixture
def provider(scim_team):
    """An identity provider whose token is granted its SCIM team alone."""
    return Provider(issue_token(scim_team=scim_team))


@pytest.fixture
def provisioned(scim_team):
    """A user whom the provider sees."""
    user = UserFactory(job_description="Agent")
    MembershipFactory(user=user, team=scim_team)
    forget_creations()
    return user


@pytest.fixture
def stranger(db):
    """A user of another team."""
    return MembershipFactory().user
