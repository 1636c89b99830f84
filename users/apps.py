"""The app's configuration."""

from importlib import import_module

from django.apps import AppConfig, apps
from django.contrib import admin
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = _("Users")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("users.checks")  # needs the models
        import_module("users.models.recording").connect()
        if apps.is_installed("drf_spectacular"):
            import_module("users.api.openapi")
        # With `SimpleAdminConfig`, the project registers all admin classes itself.
        if any(isinstance(config, admin_apps.AdminConfig) for config in apps.get_app_configs()):
            admin.autodiscover()  # first, so that the order of the apps does not matter
            import_module("users.admin.registration").register(admin.site)
