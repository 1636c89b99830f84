"""What the tests of this folder do at once."""

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY

from users.sessions import SessionStore

CLIENTS = 16


def codes(answers):
    return {answer[3]["status_code"] for answer in answers}


def log_in(user):
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
