"""What a caller sees of an answer."""

from django.contrib.auth import get_user_model

from users.api.status_codes import STATUS_CODES

TABLE = {code.number: code for code in STATUS_CODES}


def assert_updated(response, **members):
    """Assert the answer 4309, and that its user has `members`."""
    envelope = response.json()
    assert (envelope["status_code"], response.status_code) == (4309, 200), envelope
    assert {name: envelope["response"][name] for name in members} == members


def assert_created(response):
    """Assert the answer 4308, and return the user that it names."""
    envelope = response.json()
    assert (envelope["status_code"], response.status_code) == (4308, 201), envelope
    assert envelope["description"] == "User created successfully"
    return get_user_model().objects.get(pk=envelope["response"]["id"])


def assert_refused(response, number, errors=None):
    """Assert the answer `number`, with its HTTP status and description, and exactly `errors`."""
    code = TABLE[number]
    assert response.json() == {
        "status_code": number,
        "description": code.description,
        "response": {"errors": errors} if errors else {},
    }
    assert response.status_code == code.http_status
    assert response["Content-Type"] == "application/json"


def assert_retrieved(response):
    """Assert the answer 9200, and return what it holds."""
    envelope = response.json()
    assert (envelope["status_code"], response.status_code) == (9200, 200), envelope
    assert envelope["description"] == "Retrieved successfully"
    return envelope["response"]


def assert_listed(response):
    """Assert the answer 4307, and return what it holds."""
    envelope = response.json()
    assert (envelope["status_code"], response.status_code) == (4307, 200), envelope
    assert envelope["description"] == "The list of users retrieved successfully"
    return envelope["response"]
