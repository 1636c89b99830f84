"""Access tokens in the database."""

from users.models import AccessToken


class ReplicaForReads:
    """A router to a replica, which no test has: asking it is an error."""

    def db_for_read(self, model, **hints):
        return "replica"

    def db_for_write(self, model, **hints):
        return "default"


def test_a_token_is_issued_and_used_in_the_database_for_writes(team, settings):
    settings.DATABASE_ROUTERS = [f"{__name__}.ReplicaForReads"]
    token, _ = AccessToken.objects.issue("HR", [team])
    token._state.db = "replica"  # as the call's authentication has read it
    token.note_use()
    settings.DATABASE_ROUTERS = []
    assert AccessToken.objects.get().last_used_at
