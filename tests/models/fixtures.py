"""Fixtures of rows that are there."""

import json

from django.core import serializers


def load(fixture):
    for loaded in serializers.deserialize("json", json.dumps(fixture)):
        loaded.save()


def fixture_of(user, **fields):
    [fixture] = json.loads(serializers.serialize("json", [user]))
    return [{**fixture, "fields": {**fixture["fields"], **fields}}]
