"""The URLs of invitations.

To mount them: `path("invitations/", include("users.invitation_urls"))`.
"""

from django.urls import path

from users.invitation_views import AskedView, AskView, DoneView, LinkView, SetPasswordView

app_name = "invitations"

urlpatterns = [
    path("", AskView.as_view(), name="ask"),
    path("asked/", AskedView.as_view(), name="asked"),
    path("done/", DoneView.as_view(), name="done"),
    path(
        f"<str:uidb64>/{SetPasswordView.reset_url_token}/",
        SetPasswordView.as_view(),
        {"token": SetPasswordView.reset_url_token},
        name="set_password",
    ),
    path("<str:uidb64>/<str:token>/", LinkView.as_view(), name="link"),
]
