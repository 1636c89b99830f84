"""Template tags of the admin site's pages."""

from typing import Any

import django
from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from users.admin.overview import overview_context

register = template.Library()


@register.inclusion_tag("admin/users/overview.html", takes_context=True)
def users_overview(context: template.Context) -> dict[str, Any]:
    """Show the overview of users, in a template of an admin site's index."""
    site = context["request"].current_app
    return overview_context(context["available_apps"], site)


@register.simple_tag
def breadcrumbs(*parts: Any) -> SafeString:
    """Return the way to the page, in the markup of Django's own pages.

    parts: pairs of an address and a title, then the title of the page itself.
    """
    *links, here = parts
    pairs = zip(links[::2], links[1::2], strict=True)
    if django.VERSION < (6, 1):
        before = format_html_join("", '<a href="{}">{}</a>\n&rsaquo; ', pairs)
        return format_html('<div class="breadcrumbs">\n{}{}\n</div>', before, here)
    before = format_html_join("\n", '<li><a href="{}">{}</a></li>', pairs)
    return format_html(
        '<ol class="breadcrumbs">\n{}\n<li aria-current="page">{}</li>\n</ol>', before, here
    )
