from django.urls import path

from tests.benchmarks.contenders.idiomatic_drf.views import UpdateUserView

urlpatterns = [path("api/users/<int:pk>", UpdateUserView.as_view())]
