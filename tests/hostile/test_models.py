"""Whatever `full_clean()` lets through can be saved."""

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from hypothesis import given

from tests.database import row
from tests.hostile.strategies import attribute_objects, generated, texts
from users.attributes.values import same

pytestmark = pytest.mark.django_db

User = get_user_model()


@generated
@given(custom=attribute_objects, skills=attribute_objects, name=texts)
def test_full_clean_takes_what_can_be_saved(user, custom, skills, name):
    changed = User.objects.get(pk=user.pk)
    changed.custom_attributes, changed.skill_attributes = custom, skills
    changed.first_name = name
    try:
        changed.full_clean()
    except ValidationError:
        return
    changed.save()
    assert same(row(user)["skill_attributes"], skills)
