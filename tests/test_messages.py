"""The catalogues of `users/locale/` and `config/locale/`; its README says how they are made."""

import ast
import gettext
import re
import shutil

import pytest
from django.conf import settings
from django.core.management import call_command

from tests.server import PROJECT

APPS = ("users", "config")
LANGUAGES = sorted({code for code, _ in settings.LANGUAGES} - {"en"})
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sdr]|\{\w*\}")
CATALOGUES = [(app, language) for app in APPS for language in LANGUAGES]
FILES = sorted(
    path.relative_to(PROJECT)
    for app in APPS
    for path in (PROJECT / app).glob("*/*/LC_MESSAGES/*.po")
)

with_gettext = pytest.mark.skipif(shutil.which("xgettext") is None, reason="no gettext")


def catalogue(app, language):
    return PROJECT / app / "locale" / language / "LC_MESSAGES" / "django.po"


def entries(path):
    """Return the entries of a catalogue, without its header.

    Each is (context, message, plural), with the list of its translations; none where it is fuzzy.
    """
    found = {}
    for text in path.read_text().replace("\r\n", "\n").split("\n\n")[1:]:
        parts, name = {}, ""
        for line in text.splitlines():
            if line.startswith('"'):
                parts[name] += ast.literal_eval(line)
            elif not line.startswith("#"):
                name, _, value = line.partition(" ")
                parts[name] = ast.literal_eval(value)
        if parts:
            key = (parts.get("msgctxt"), parts["msgid"], parts.get("msgid_plural"))
            translations = [value for name, value in parts.items() if name.startswith("msgstr")]
            found[key] = [] if re.search("^#,.*fuzzy", text, re.MULTILINE) else translations
    return found


def placeholders(text):
    return sorted(PLACEHOLDER.findall(text or ""))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a directory with copies of the apps, in which `makemessages` has run."""
    copy = tmp_path_factory.mktemp("apps")
    with pytest.MonkeyPatch.context() as patch:
        for app in APPS:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(PROJECT / app, copy / app, ignore=ignored)
            patch.chdir(copy / app)
            options = {"keep_pot": True, "add_location": "file", "no_obsolete": True}
            call_command("makemessages", locale=LANGUAGES, verbosity=0, **options)
    return copy


@with_gettext
@pytest.mark.parametrize("app", APPS)
def test_the_template_has_all_messages_and_no_other(made, app):
    generated, stored = (entries(root / app / "locale" / "django.pot") for root in (made, PROJECT))
    assert generated.keys() ^ stored.keys() == set()


@with_gettext
@pytest.mark.parametrize(("app", "language"), CATALOGUES)
def test_each_catalogue_is_as_makemessages_leaves_it(made, app, language):
    stored = entries(catalogue(app, language))
    generated = entries(made / catalogue(app, language).relative_to(PROJECT))
    assert {key for key in generated if generated[key] != stored.get(key)} == set()
    assert stored.keys() - generated.keys() == set()


@pytest.mark.parametrize(("app", "language"), CATALOGUES)
def test_each_message_is_translated(app, language):
    template = entries(PROJECT / app / "locale" / "django.pot")
    translated = entries(catalogue(app, language))
    assert [key for key in template if not translated.get(key) or not all(translated[key])] == []


@pytest.mark.parametrize("path", FILES, ids=str)
def test_each_translation_has_the_placeholders_of_its_message(path):
    wrong = []
    for (context, message, plural), translations in entries(PROJECT / path).items():
        for number, translation in enumerate(translations):
            # A singular may leave the number out.
            allowed = [placeholders(plural or message)]
            if number == 0:
                allowed.append(placeholders(message))
            if placeholders(translation) not in allowed:
                wrong.append((context, translation))
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=str)
def test_what_is_compiled_is_up_to_date(path):
    with (PROJECT / path).with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog
    expected = {}
    for (context, message, plural), translations in entries(PROJECT / path).items():
        key = message if context is None else f"{context}\x04{message}"
        if plural is None:
            expected[key] = translations[0]
        else:
            expected |= {(key, number): text for number, text in enumerate(translations)}
    compiled.pop("", None)  # the header
    assert compiled == expected


def test_every_language_has_catalogues():
    for app in APPS:
        assert sorted(
            path.parent.parent.name for path in PROJECT.glob(f"{app}/locale/*/*/*.po")
        ) == (LANGUAGES)
