"""How an identity provider calls, and what it sees of an answer."""

import json
from urllib.parse import urlencode

from django.test import Client

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"

MEDIA_TYPE = "application/scim+json"


class Provider:
    """An identity provider, which has an access token.

    root: where SCIM is mounted.
    """

    def __init__(self, secret, root="/scim/v2"):
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {secret}", "Accept": MEDIA_TYPE}
        self.root = root

    def __call__(self, method, path, body=b"", *, headers=None, content_type=MEDIA_TYPE, **query):
        """Make the call; a header that is None is left out, a body that is no bytes is dumped.

        query: the query parameters, whose values are encoded.
        """
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {**self.headers, **(headers or {})}
        return self.client.generic(
            method,
            f"{self.root}{path}{'?' + urlencode(query) if query else ''}",
            content,
            content_type=content_type,
            headers={name: value for name, value in sent.items() if value is not None},
        )

    def get(self, path, **query):
        return self("GET", path, **query)

    def post(self, path, body):
        return self("POST", path, body)

    def put(self, path, body):
        return self("PUT", path, body)

    def patch(self, path, *operations):
        return self("PATCH", path, {"schemas": [PATCH], "Operations": operations})

    def delete(self, path):
        return self("DELETE", path)


def user_path(user):
    return f"/Users/{user.pk}"


def group_path(team):
    return f"/Groups/{team.pk}"


def body_of(response, status=200):
    """Assert the HTTP status of an answer with a body, and return that."""
    assert response.status_code == status, (response.status_code, response.content)
    assert response["Content-Type"].partition(";")[0] == MEDIA_TYPE
    return response.json()


def listed(response):
    """Assert that the answer is a list, and return the resources of the page."""
    body = body_of(response)
    assert body["schemas"] == [LIST]
    numbers = [body["totalResults"], body["startIndex"], body["itemsPerPage"]]
    assert [type(number) for number in numbers] == [int] * 3
    assert len(body.get("Resources", [])) == body["itemsPerPage"]
    return body.get("Resources", [])


def ids(response):
    """Assert that the answer is a list, and return the ids of its resources."""
    return [resource["id"] for resource in listed(response)]


def assert_refused(response, status, scim_type=None):
    """Assert that the answer is SCIM's error, and return what it says."""
    body = body_of(response, status)
    assert body["schemas"] == [ERROR]
    assert body["status"] == str(status)
    assert body.get("scimType") == scim_type, body
    return body.get("detail")


def assert_empty(response):
    """Assert the answer 204."""
    assert (response.status_code, response.content) == (204, b"")
