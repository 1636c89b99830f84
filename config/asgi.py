"""The ASGI application."""

import os

from django.core.asgi import get_asgi_application

from config.serving import limit_requests, load_views

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

limit_requests()
application = get_asgi_application()
load_views()
