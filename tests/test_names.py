"""When two names are one."""

import sys
from unicodedata import normalize

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from tests.factories import PASSWORD, AttributeDefinitionFactory, UserFactory
from users.models import AttributeDefinition
from users.names import MAX_LENGTH, fold

User = get_user_model()


@pytest.fixture(autouse=True)
def _backend(settings):
    settings.AUTHENTICATION_BACKENDS = ["users.backends.LoginBackend"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("asha", "ASHA"),
        ("straße", "STRASSE"),
        ("μαΐου", "ΜΑΪ́ΟΥ"),  # its upper case decomposes the letter
        ("ᾴ", "ᾴ".upper()),
        ("α\u0345\u0301", "α\u0301\u0345"),  # canonically equivalent
        ("\N{LATIN SMALL LIGATURE FF}", "FF"),
        ("\N{SQUARE MHZ}", "mhz"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER A}sha", "asha"),
        ("as\u00adha", "a\u200bsha\ufe0f"),  # what is not seen
    ],
)
def test_names_that_are_one(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("résumé", "resume"), ("😀", "😁"), ("a b", "ab"), ("asha", "asha ")]
)
def test_names_that_are_two(one, other):
    assert fold(one) != fold(other)


def test_every_character_folds_to_what_folds_no_further():
    for character in map(chr, range(sys.maxunicode + 1)):
        folded = fold(character)
        assert fold(folded) == folded == normalize("NFKC", folded)


@pytest.mark.django_db
@pytest.mark.parametrize("character", ["\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}", "ß", "x"])
def test_the_longest_names_are_kept_folded(character):
    name = character * 150
    user = UserFactory(login_id=name, email_id=f"a@{character * 200}.example")
    assert User.objects.get_by_natural_key(name.upper()) == user
    assert len(user.login_key) <= MAX_LENGTH
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory(login_id="other", email_id=user.email_id)


@pytest.mark.django_db
def test_a_name_and_its_upper_case_are_one_account():
    user = UserFactory(login_id="μαΐου")
    with pytest.raises(ValidationError, match="already exists"):
        UserFactory.build(login_id="ΜΑΪ́ΟΥ").full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory(login_id="ΜΑΪ́ΟΥ")
    assert authenticate(username="ΜΑΪ́ΟΥ", password=PASSWORD) == user


@pytest.mark.django_db
@pytest.mark.parametrize(("one", "other"), [("résumé", "resume"), ("😀", "😁")])
def test_names_that_differ_in_a_code_point_are_two_accounts(one, other):
    user = UserFactory(login_id=one, email_id=f"{one}@x.example")
    assert authenticate(username=other, password=PASSWORD) is None
    UserFactory(login_id=other, email_id=f"{other}@x.example", password="other")
    assert authenticate(username=one, password=PASSWORD) == user
    for name in (one, other):
        AttributeDefinitionFactory(name=name)
    assert AttributeDefinition.objects.get(name=one).name == one


@pytest.mark.django_db
def test_a_search_ignores_the_case_all_the_same():
    user = UserFactory(login_id="Asha")
    for lookup in ("iexact", "icontains", "istartswith", "iendswith"):
        assert User.objects.get(**{f"login_id__{lookup}": "aSHA"}) == user


@pytest.mark.django_db
def test_a_login_id_has_something_to_see():
    with pytest.raises(ValidationError) as raised:
        UserFactory.build(login_id="\u200b", email_id="a@x.example").full_clean()
    assert raised.value.message_dict == {"login_id": ["Must have a character that can be seen."]}
