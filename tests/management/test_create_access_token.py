from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.assertions import assert_updated
from tests.factories import TeamFactory
from users.models import AccessToken


def test_it_prints_the_token_alone_and_the_token_works(call, team, capsys):
    call_command("create_access_token", "CRM", "--team", str(team.pk))
    output, notes = capsys.readouterr()
    assert output.endswith("\n")
    assert output.count("\n") == 1
    headers = {"Authorization": f"Bearer {output.strip()}"}
    assert_updated(call({"first_name": "Bruno"}, headers=headers))
    assert notes == f"Created the access token “CRM (…{output.strip()[-4:]})”.\n"


def test_it_grants_each_team(db):
    teams = TeamFactory.create_batch(2)
    call_command("create_access_token", "CRM", *(f"--team={team.pk}" for team in teams))
    token = AccessToken.objects.get()
    assert (token.name, set(token.teams.all()), token.expires_at) == ("CRM", set(teams), None)


def test_it_limits_the_lifetime(team):
    call_command("create_access_token", "CRM", f"--team={team.pk}", "--days=90")
    lifetime = AccessToken.objects.get().expires_at - timezone.now()
    assert timedelta(days=89, hours=23) < lifetime <= timedelta(days=90)


def test_it_names_the_teams_that_there_are(db):
    with pytest.raises(CommandError, match="There are no teams yet: create one in the admin site"):
        call_command("create_access_token", "CRM", "--team=1")
    teams = TeamFactory.create_batch(21)
    with pytest.raises(CommandError) as raised:
        call_command("create_access_token", "CRM", "--team=0")
    named = ", ".join(f"{team.pk} ({team.name})" for team in teams[:20])
    assert str(raised.value) == f"There is no team 0. The teams are {named} and more."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["CRM"], "--team, --scim-team is required"),
        (["CRM", "--scim-team=0"], "There is no team 0."),
        (["CRM", "--scim-team="], "There is no team ."),
        (["--team=1"], "name"),
        ([" ", "--team={team}"], "NAME: This field cannot be blank."),
        (["x" * 151, "--team={team}"], "at most 150 characters"),
        (["CRM", "--team=x"], "There is no team x."),
        (["CRM", "--team={team}", "--team=0"], "There is no team 0."),
        (["CRM", "--team=" + "9" * 30], "There is no team " + "9" * 30),
        (["CRM", "--team={team}", "--days=0"], "'0' is not a number of days from 1 to 36500"),
        (["CRM", "--team={team}", "--days=-1"], "'-1' is not a number of days"),
        (["CRM", "--team={team}", "--days=000036500999"], "'000036500999' is not a number of days"),
        (["CRM", "--team={team}", "--days=1.5"], "'1.5' is not a number of days"),
        (["CRM", "--team={team}", "--days=" + "9" * 5000], "is not a number of days"),
    ],
)
def test_it_names_what_is_wrong_and_makes_nothing(team, arguments, message):
    with pytest.raises(CommandError, match=message):
        call_command("create_access_token", *(a.format(team=team.pk) for a in arguments))
    assert not AccessToken.objects.exists()


def test_it_makes_a_token_for_an_identity_provider(team):
    call_command("create_access_token", "Entra ID", f"--scim-team={team.pk}")
    token = AccessToken.objects.get()
    assert (token.scim_team, list(token.teams.all())) == (team, [team])


def test_it_grants_the_scim_team_beside_the_others(team):
    other = TeamFactory()
    call_command("create_access_token", "Okta", f"--scim-team={team.pk}", f"--team={other.pk}")
    assert set(AccessToken.objects.get().teams.all()) == {team, other}


@pytest.mark.parametrize(("arguments", "read_only"), [([], False), (["--read-only"], True)])
def test_it_makes_a_token_that_may_only_read(team, arguments, read_only):
    call_command("create_access_token", "CRM", f"--team={team.pk}", *arguments)
    assert AccessToken.objects.get().read_only is read_only


@pytest.mark.parametrize(("arguments", "limit"), [([], None), (["--rate-limit=10000"], 10_000)])
def test_it_limits_the_calls_of_the_token(team, arguments, limit):
    call_command("create_access_token", "CRM", f"--team={team.pk}", *arguments)
    assert AccessToken.objects.get().rate_limit == limit


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", "1000000001", "٣", "9" * 5000])
def test_it_names_the_bounds_of_a_rate_limit(team, limit):
    message = "is not a number of calls from 1 to 1000000000"
    with pytest.raises(CommandError, match=message):
        call_command("create_access_token", "CRM", f"--team={team.pk}", f"--rate-limit={limit}")
    assert not AccessToken.objects.exists()
