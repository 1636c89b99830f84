"""An invited user, from the mail to the first log-in."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.db import transaction
from django.http import HttpResponse
from django.template import engines
from django.urls import include, path
from playwright.sync_api import expect

from tests.browser.screenshots import screenshot
from tests.factories import PASSWORD
from tests.smtp import MailServer, send_by
from users import invitations

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

User = get_user_model()

# A project with a log-in page for users of the role type Customer Care.


class LogIn(LoginView):
    def render_to_response(self, context, **options):
        page = "<!DOCTYPE html><form method=post>{% csrf_token %}{{ form }}<button>Log in</button>"
        return HttpResponse(engines["django"].from_string(page).render(context, self.request))


@login_required(login_url="/login/")
def chats(request):
    return HttpResponse(f"<!DOCTYPE html><title>Chats</title><h1>Chats of {request.user}</h1>")


urlpatterns = [
    path("invitations/", include("users.invitation_urls")),
    path("login/", LogIn.as_view(next_page="/chats/")),
    path("chats/", chats),
]


@pytest.fixture
def mail_server(settings):
    with MailServer() as mail_server:
        send_by(settings, mail_server.port)
        yield mail_server


@pytest.fixture
def asha(settings, live_server):
    settings.PUBLIC_URL = live_server.url
    return User.objects.create_user("asha", "asha@desk.example", first_name="Asha")


def link_in(mail):
    return re.search(r"http\S+/invitations/\w+/\S+/(?=\s)", mail.get_content())[0]


def invite(user):
    with transaction.atomic():
        invitations.invite(user)


def set_password(page):
    expect(page).to_have_title("Set your password")
    expect(page.get_by_label("Your login id")).to_have_value("asha")
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("heading", name="Your password is set")).to_be_visible()


def log_in(page):
    page.goto("/chats/")
    page.locator("[name=username]").fill("asha")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    expect(page.get_by_role("heading", name="Chats of asha")).to_be_visible()


def test_the_link_in_the_mail_sets_the_password_that_logs_in(page, asha, mail_server):
    invite(asha)
    _envelope, mail = mail_server.next()
    link = link_in(mail.get_body("plain"))
    requests = []
    page.on("request", lambda request: requests.append(request))
    page.goto(link)
    set_password(page)
    token = link.split("/")[-2]
    assert not [r for r in requests if token in (r.headers.get("referer") or "")]
    assert not [r for r in requests if token in r.url and r.url != link]
    page.go_back()
    assert token not in page.url
    log_in(page)


def test_the_link_in_the_html_of_the_mail_does_too(page, asha, mail_server):
    invite(asha)
    _envelope, mail = mail_server.next()
    page.set_content(mail.get_body("html").get_content())
    screenshot(page, "invitation_mail")
    page.get_by_role("link", name="Set your password").click()
    set_password(page)


def test_who_lost_the_mail_asks_for_another_link(page, asha, mail_server):
    invite(asha)
    mail_server.next()
    page.goto("/invitations/x/y-z/")
    expect(page.get_by_role("heading", name="This link does not work")).to_be_visible()
    page.get_by_role("link", name="Ask for a new link").click()
    expect(page.get_by_label("Email address")).to_be_focused()
    page.keyboard.type("asha@desk.example")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    _envelope, mail = mail_server.next()
    page.goto(link_in(mail.get_body("plain")))
    set_password(page)
    log_in(page)


def test_a_refused_password_is_explained(page, asha):
    invite(asha)
    page.goto(invitations.link(asha))
    field = page.get_by_label("New password", exact=True)
    field.fill("12345678")
    page.get_by_label("New password confirmation").fill("12345678")
    page.get_by_role("button", name="Set password").click()
    expect(page).to_have_title("Error: Set your password")
    expect(page.get_by_text("This password is too common.")).to_be_visible()
    assert not User.objects.get().has_usable_password()


CHECKS = """
() => {
    const failures = [];
    if (!document.documentElement.lang) failures.push("no language");
    if (!document.title) failures.push("no title");
    if (document.querySelectorAll("h1").length != 1) failures.push("not one heading");
    if (!document.querySelector("main")) failures.push("no main");
    const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
    if (new Set(ids).size != ids.length) failures.push("an id twice: " + ids);
    for (const input of document.querySelectorAll("input:not([type=hidden])")) {
        if (!input.labels.length) failures.push("no label: " + input.name);
        for (const id of (input.getAttribute("aria-describedby") || "").split(" "))
            if (id && !document.getElementById(id)) failures.push("describes nothing: " + id);
    }
    if (document.documentElement.scrollWidth > innerWidth) failures.push("too wide");
    const luminance = color => {
        const [r, g, b] = color.match(/[\\d.]+/g).map(value => value / 255)
            .map(value => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const background = element => {
        for (; element; element = element.parentElement) {
            const color = getComputedStyle(element).backgroundColor;
            if (!/^rgba.*, 0\\)$/.test(color)) return color;
        }
        return "rgb(255, 255, 255)";
    };
    for (const element of document.querySelectorAll("h1, p, a, label, input, button, li, .help")) {
        const [light, dark] = [getComputedStyle(element).color, background(element)]
            .map(luminance).sort((a, b) => b - a);
        if ((light + 0.05) / (dark + 0.05) < 4.5) failures.push("contrast: " + element.outerHTML);
        if (element.matches("button, input:not([type=hidden])") && element.offsetHeight < 44)
            failures.push("too small: " + element.outerHTML);
    }
    return failures;
}
"""


def add_policy(route):
    """Have the page under a strict Content Security Policy."""
    answer = route.fetch(max_redirects=0)
    policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'"
    route.fulfill(response=answer, headers={**answer.headers, "content-security-policy": policy})


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_the_pages_are_fit_for_everybody(new_page, asha, color_scheme, width):
    invite(asha)
    page = new_page(color_scheme=color_scheme, viewport={"width": width, "height": 844})
    problems = []
    page.on("console", lambda line: problems.append(line.text) if "Policy" in line.text else None)
    page.route(re.compile(r"/invitations/(?!\w+/\w+-\w{9})"), add_policy)  # but for the redirect
    page.goto(invitations.link(asha))
    page.get_by_label("New password", exact=True).fill("1")
    page.get_by_label("New password confirmation").fill("2")
    page.get_by_role("button", name="Set password").click()
    expect(page).to_have_title("Error: Set your password")
    page.wait_for_load_state("load")
    assert page.evaluate(CHECKS) == []
    screenshot(page, f"invitation_{color_scheme}_{width}")
    for address in ("", "x/y-z/", "asked/", "done/"):
        page.goto(f"/invitations/{address}")
        assert page.evaluate(CHECKS) == []
        screenshot(
            page, f"invitation_{address.strip('/').replace('/', '_')}_{color_scheme}_{width}"
        )
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) < 384) == (color_scheme == "dark")
    assert problems == []
