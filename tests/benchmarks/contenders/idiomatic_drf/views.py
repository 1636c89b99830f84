"""The calls as a Django developer writes them by DRF's tutorial, on the same models."""

import uuid

from django.contrib.auth import password_validation
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django_filters import CharFilter, FilterSet
from rest_framework import serializers
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.generics import GenericAPIView, ListCreateAPIView, RetrieveUpdateAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response

from tests.benchmarks.contenders.history import differences
from users import tokens
from users.attributes import values
from users.attributes.rules import rules_by_field
from users.models import AccessToken, AttributeDefinition, Change, Membership, Session, User
from users.names import fold


class PlainUser(User):
    """The user without what our model does in `save()`, such as writing the history."""

    class Meta:
        proxy = True
        app_label = "users"

    from_db = models.Model.__dict__["from_db"]
    save = AbstractBaseUser.save
    _save_table = models.Model._save_table


class PlainMembership(Membership):
    """The membership, likewise."""

    class Meta:
        proxy = True
        app_label = "users"

    save = models.Model.save
    _save_table = models.Model._save_table


class BearerAuthentication(TokenAuthentication):
    keyword = "Bearer"

    def authenticate_credentials(self, key):
        try:
            token = AccessToken.objects.get(digest=tokens.digest(key))
        except AccessToken.DoesNotExist:
            raise AuthenticationFailed from None
        if token.is_revoked or token.is_expired:
            raise AuthenticationFailed
        token.note_use()
        return None, token


class UserSerializer(serializers.ModelSerializer):
    class Meta:
        model = PlainUser
        fields = [
            "id",
            "created_at",
            "updated_at",
            "first_name",
            "last_name",
            "login_id",
            "email_id",
            "status",
            "logged_in",
            "job_description",
            "login_using_email",
            "role_type",
            "accepting_chats",
            "skill_attributes",
            "active_chats",
            "custom_attributes",
        ]
        read_only_fields = ["login_id", "email_id", "role_type", "accepting_chats", "active_chats"]

    def validate_custom_attributes(self, value):
        return self._validate_attributes("custom_attributes", value)

    def validate_skill_attributes(self, value):
        return self._validate_attributes("skill_attributes", value)

    def _validate_attributes(self, field, value):
        stored = getattr(self.instance, field)
        wanted = values.merge(stored, value) if self.context["merge"] else value
        rules = rules_by_field(AttributeDefinition.objects.all())[field]
        if errors := rules.validate(stored, wanted):
            raise serializers.ValidationError(errors)
        return wanted

    def update(self, instance, validated_data):
        old = {name: getattr(instance, name) for name in validated_data}
        changed = [name for name, value in validated_data.items() if old[name] != value]
        if changed:
            for name in changed:
                setattr(instance, name, validated_data[name])
            instance.updated_at = timezone.now()
            instance.save(update_fields=[*changed, "updated_at"])
            self.record(instance, old, {name: validated_data[name] for name in changed})
        return instance

    def record(self, instance, old, new):
        """Write a line of the history; `old` is empty for a user who was made."""
        request = self.context["request"]
        before, after = differences(old, new) if old else ({}, new)
        Change.objects.create(
            user_id=instance.pk,
            login_id=instance.login_id,
            action=Change.Action.UPDATED if old else Change.Action.CREATED,
            door=Change.Door.API,
            by_type=Change.ByType.ACCESS_TOKEN,
            by_id=request.auth.pk,
            by_name=request.auth.name,
            trxid=str(uuid.uuid4()),
            before=before,
            after=after,
            teams=sorted(instance.teams.values_list("pk", flat=True)),
        )


class UserListSerializer(serializers.ListSerializer):
    """Updates many users: each is validated and saved as one alone is."""

    def run_child_validation(self, data):
        self.child.instance = next((u for u in self.instance if u.pk == data["id"]), None)
        if self.child.instance is None:
            raise NotFound
        return {**super().run_child_validation(data), "instance": self.child.instance}

    def update(self, instance, validated_data):
        return [self.child.update(changes.pop("instance"), changes) for changes in validated_data]


class NewUserSerializer(UserSerializer):
    password = serializers.CharField(write_only=True)

    class Meta(UserSerializer.Meta):
        fields = [*UserSerializer.Meta.fields, "password"]
        read_only_fields = ["role_type", "accepting_chats", "active_chats"]

    def _validate_attributes(self, field, value):
        rules = rules_by_field(AttributeDefinition.objects.all())[field]
        if errors := rules.validate({}, value):
            raise serializers.ValidationError(errors)
        return value

    def validate_login_id(self, value):
        if User.objects.filter(login_key=fold(value)).exists():
            raise serializers.ValidationError("A user with this login id already exists.")
        return value

    def validate_email_id(self, value):
        if User.objects.filter(email_key=fold(value)).exists():
            raise serializers.ValidationError("A user with this email already exists.")
        return value

    def validate(self, data):
        password_validation.validate_password(
            data["password"], PlainUser(**{**data, "password": ""})
        )
        return data

    def create(self, validated_data):
        team = self.context["team"]
        password = validated_data.pop("password")
        user = PlainUser(**validated_data)
        user.set_password(password)
        user.save()
        PlainMembership.objects.create(user=user, team=team)
        details = {name: getattr(user, name) for name in validated_data}
        self.record(
            user, {}, {**details, "password": "set", "memberships": {team.pk: "Team Agent"}}
        )
        return user


class UserPagination(CursorPagination):
    page_size = 10
    page_size_query_param = "page_size"
    cursor_query_param = "after"
    ordering = "id"

    def get_paginated_response(self, data):
        return Response(
            {
                "status_code": 4307,
                "description": "The list of users retrieved successfully",
                "response": {
                    "users": data,
                    "page_size": self.page_size,
                    "has_more": self.has_next,
                    "after": self.get_next_link(),
                },
            }
        )


class UserFilter(FilterSet):
    status = CharFilter()
    business = CharFilter(field_name="custom_attributes__business")

    class Meta:
        model = PlainUser
        fields = ["status"]


class TeamView(GenericAPIView):
    authentication_classes = [BearerAuthentication]
    serializer_class = UserSerializer
    pagination_class = UserPagination

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        self.team = request.auth.teams.filter(pk=request.headers["teamid"]).first()
        if self.team is None:
            raise NotFound

    def get_queryset(self):
        users = PlainUser.objects.filter(memberships__team=self.team)
        if self.request.method in ("PATCH", "PUT"):
            return users.select_for_update(of=["self"])
        sessions = Session.objects.filter(user=OuterRef("pk"), expire_date__gt=timezone.now())
        return users.annotate(_logged_in=Exists(sessions))

    def get_serializer_context(self):
        merge = self.request.method == "PATCH"
        return {**super().get_serializer_context(), "merge": merge, "team": self.team}


def enveloped(status_code, description, data, status=200):
    answer = {"status_code": status_code, "description": description, "response": data}
    return Response(answer, status)


class UserView(RetrieveUpdateAPIView, TeamView):
    def retrieve(self, request, *args, **kwargs):
        response = super().retrieve(request, *args, **kwargs)
        return enveloped(4306, "The user details retrieved successfully", response.data)

    @transaction.atomic
    def update(self, request, *args, **kwargs):
        response = super().update(request, *args, **kwargs)
        return enveloped(4309, "User updated successfully", response.data)


class UsersView(ListCreateAPIView, TeamView):
    def get_serializer_class(self):
        return NewUserSerializer if self.request.method == "POST" else UserSerializer

    @transaction.atomic
    def create(self, request, *args, **kwargs):
        response = super().create(request, *args, **kwargs)
        return enveloped(4308, "User created successfully", response.data, 201)

    @transaction.atomic
    def patch(self, request):
        ids = [item["id"] for item in request.data["users"]]
        users = self.get_queryset().filter(pk__in=ids).order_by("pk")
        context = self.get_serializer_context()
        child = UserSerializer(partial=True, context=context)
        serializer = UserListSerializer(
            users, data=request.data["users"], child=child, partial=True, context=context
        )
        serializer.is_valid(raise_exception=True)
        serializer.save()
        items = [
            {
                "id": user["id"],
                "status_code": 4309,
                "description": "User updated successfully",
                "response": user,
            }
            for user in serializer.data
        ]
        return enveloped(4309, "User updated successfully", {"users": items})


class SearchUsersView(TeamView):
    def post(self, request):
        asked = {
            "status": request.data["status"]["eq"],
            "business": request.data["custom_attributes"]["business"]["eq"],
        }
        users = UserFilter(asked, self.get_queryset()).qs
        page = self.paginate_queryset(users)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
