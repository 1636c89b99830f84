from django.urls import path

from tests.benchmarks.contenders.idiomatic_drf.views import (
    SearchUsersView,
    UsersView,
    UserView,
)

urlpatterns = [
    path("api/users", UsersView.as_view()),
    path("api/users/search", SearchUsersView.as_view()),
    path("api/users/<int:pk>", UserView.as_view()),
]
