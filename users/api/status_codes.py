"""The status codes of the API's responses."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StatusCode:
    """A status code of the API, with the HTTP status and the description that go with it."""

    number: int
    http_status: int
    description: str


USER_RETRIEVED = StatusCode(4306, 200, "The user details retrieved successfully")
USERS_RETRIEVED = StatusCode(4307, 200, "The list of users retrieved successfully")
USER_CREATED = StatusCode(4308, 201, "User created successfully")
USER_UPDATED = StatusCode(4309, 200, "User updated successfully")
RETRIEVED = StatusCode(9200, 200, "Retrieved successfully")
PARTLY_UPDATED = StatusCode(9207, 207, "Not all users were updated")
MISSING_HEADERS = StatusCode(
    2002, 400, "Invalid header param - could not find mandatory header parameters"
)
INVALID_TOKEN = StatusCode(2003, 400, "Invalid Access Token")
EXPIRED_TOKEN = StatusCode(2004, 401, "Access Token expired")
TOO_MANY_REQUESTS = StatusCode(9429, 429, "Too many requests")
INTERNAL_ERROR = StatusCode(2007, 500, "Internal Server Error")
TEAM_NOT_FOUND = StatusCode(
    2010, 404, "Could not find details of team based on the teamid passed in the header"
)
METHOD_NOT_ALLOWED = StatusCode(2099, 405, "Method not allowed")
NOT_ALLOWED = StatusCode(9403, 403, "The access token does not allow this")
USER_NOT_FOUND = StatusCode(3101, 404, "Requested user was not found")
CHANGED_MEANWHILE = StatusCode(9412, 412, "The user was changed meanwhile")
UPDATE_FAILED = StatusCode(3104, 500, "The user update failed")
RETRIEVAL_FAILED = StatusCode(3105, 500, "The user data could not be retrieved")
INVALID_BUSINESS = StatusCode(
    3107, 400, "The value provided for the custom attribute 'business' is not valid."
)
INVALID_LOCATION = StatusCode(
    3110, 400, "The value provided for the custom attribute 'location' is not valid."
)
MISSING_BODY = StatusCode(3114, 400, "Request body not provided")
INVALID_REQUEST = StatusCode(3115, 400, "Request is invalid")
USER_EXISTS = StatusCode(9409, 409, "The user exists already")

STATUS_CODES = (
    USER_RETRIEVED,
    USERS_RETRIEVED,
    USER_CREATED,
    USER_UPDATED,
    RETRIEVED,
    PARTLY_UPDATED,
    MISSING_HEADERS,
    INVALID_TOKEN,
    EXPIRED_TOKEN,
    TOO_MANY_REQUESTS,
    INTERNAL_ERROR,
    TEAM_NOT_FOUND,
    METHOD_NOT_ALLOWED,
    NOT_ALLOWED,
    USER_NOT_FOUND,
    CHANGED_MEANWHILE,
    UPDATE_FAILED,
    RETRIEVAL_FAILED,
    INVALID_BUSINESS,
    INVALID_LOCATION,
    MISSING_BODY,
    INVALID_REQUEST,
    USER_EXISTS,
)
