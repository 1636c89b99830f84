"""The WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

from config.serving import limit_requests, load_views

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

limit_requests()
application = get_wsgi_application()
load_views()
