from django.contrib.sessions.middleware import SessionMiddleware


def sessions(get_response):
    """Do what Django's middleware does, as a function."""
    return SessionMiddleware(get_response)
