"""Updates at the same moment on the same condition: only one of them is made."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.concurrency.calls import CLIENTS
from tests.database import stored

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_updates_that_name_the_same_tag_one_is_made(server, call, user):
    made = []
    for round_number in range(10):
        tag = call(method="GET")["ETag"]
        headers = {**call.headers, "Content-Type": "application/json", "If-Match": tag}

        def update(name, headers=headers):
            status, envelope = server.call(call.path, {"first_name": name}, headers)
            return name, status, envelope["status_code"]

        names = [f"{round_number}-{n}" for n in range(CLIENTS)]
        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(update, names))
        assert Counter(code for _, _, code in answers) == {4309: 1, 9412: CLIENTS - 1}
        made += [name for name, _, code in answers if code == 4309]
        assert stored(user).first_name == made[-1]
