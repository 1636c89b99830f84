"""A page's form, filled in and sent as a browser does it."""

import re
from html.parser import HTMLParser

USERS = "/admin/users/user/"


class _Fields(HTMLParser):
    """Collects what a browser would send of the form `form_id` (None: of any form)."""

    def __init__(self, form_id):
        super().__init__()
        self.form_id = form_id
        self.inside = form_id is None
        self.data = {}
        self.select = self.textarea = None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        name = attrs.get("name")
        if tag == "form":
            self.inside = self.form_id is None or attrs.get("id") == self.form_id
        if not self.inside or "disabled" in attrs:
            return
        if tag == "input" and name:
            kind = attrs.get("type", "text")
            if kind in ("submit", "button") or (
                kind in ("checkbox", "radio") and "checked" not in attrs
            ):
                return
            value = attrs.get("value", "on" if kind == "checkbox" else "")
            if kind not in ("checkbox", "radio", "hidden"):
                value = value.replace("\r", "").replace("\n", "")
            self.data.setdefault(name, []).append(value)
        elif tag == "select":
            self.select, self.multiple, self.options = name, "multiple" in attrs, []
        elif tag == "option" and self.select:
            self.options.append((attrs.get("value", ""), "selected" in attrs))
        elif tag == "textarea":
            self.textarea, self.text = name, ""

    def handle_data(self, data):
        if self.textarea:
            self.text += data

    def handle_endtag(self, tag):
        if tag == "select" and self.select:
            chosen = [value for value, selected in self.options if selected]
            if not chosen and not self.multiple and self.options:
                chosen = [self.options[0][0]]
            if chosen:
                self.data[self.select] = chosen
            self.select = None
        elif tag == "textarea" and self.textarea:
            self.data[self.textarea] = [self.text.removeprefix("\n")]
            self.textarea = None


def fields(response, form_id=None):
    """Return what the form on the page would send as it stands: a list of texts by name."""
    parser = _Fields(form_id)
    parser.feed(response.content.decode())
    return {name: list(map(_with_crlf, values)) for name, values in parser.data.items()}


def _with_crlf(text):
    return re.sub(r"\r\n?|\n", "\r\n", text)


def send(browser, path, form_id=None, **changes):
    """Open the page at `path`, change its fields (None: leave out), and send the form."""
    page = browser.get(path)
    assert page.status_code == 200, page
    data = {**fields(page, form_id), **changes}
    return browser.post(path, {name: v for name, v in data.items() if v is not None})


def errors(response):
    """Return the errors of the admin form that `response` shows again, by field."""
    assert response.status_code == 200, "the form was accepted"
    return dict(response.context["adminform"].form.errors)


def messages(response):
    return [str(message) for message in response.context["messages"]]


def user_page(user):
    return f"{USERS}{user.pk}/change/"


def save_user(browser, user, **changes):
    """Open the user's page, change its fields, and save it."""
    return send(browser, user_page(user), "user_form", **changes)
