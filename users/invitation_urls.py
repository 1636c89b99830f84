"""The URLs of invitations.

To mount them: `path("invitations/", include("users.invitation_urls"))`.
"""

from django.urls import path

from users.invitation_views import AskedView, AskView, DoneView, SetPasswordView

app_name = "invitations"

urlpatterns = [
    path("", AskView.as_view(), name="ask"),
    path("asked/", AskedView.as_view(), name="asked"),
    path("done/", DoneView.as_view(), name="done"),
    path("<str:uidb64>/<str:token>/", SetPasswordView.as_view(), name="set_password"),
]
