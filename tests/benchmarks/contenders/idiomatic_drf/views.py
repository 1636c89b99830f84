"""The call as a Django developer writes it by DRF's tutorial, on the same models."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, transaction
from django.utils import timezone
from rest_framework import serializers
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.generics import UpdateAPIView
from rest_framework.response import Response

from tests.benchmarks.contenders.history import differences
from users import tokens
from users.attributes import values
from users.attributes.rules import rules_by_field
from users.models import AccessToken, AttributeDefinition, Change, User


class PlainUser(User):
    """The user without what our model does in `save()`, such as writing the history."""

    class Meta:
        proxy = True
        app_label = "users"

    from_db = models.Model.__dict__["from_db"]
    save = AbstractBaseUser.save
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
        request = self.context["request"]
        before, after = differences(old, new)
        Change.objects.create(
            user_id=instance.pk,
            login_id=instance.login_id,
            action=Change.Action.UPDATED,
            door=Change.Door.API,
            by_type=Change.ByType.ACCESS_TOKEN,
            by_id=request.auth.pk,
            by_name=request.auth.name,
            trxid=str(uuid.uuid4()),
            before=before,
            after=after,
            teams=sorted(instance.teams.values_list("pk", flat=True)),
        )


class UpdateUserView(UpdateAPIView):
    authentication_classes = [BearerAuthentication]
    serializer_class = UserSerializer

    def get_queryset(self):
        team = self.request.auth.teams.filter(pk=self.request.headers["teamid"]).first()
        if team is None:
            raise NotFound
        return PlainUser.objects.select_for_update(of=["self"]).filter(memberships__team=team)

    def get_serializer_context(self):
        return {**super().get_serializer_context(), "merge": self.request.method == "PATCH"}

    @transaction.atomic
    def update(self, request, *args, **kwargs):
        response = super().update(request, *args, **kwargs)
        return Response(
            {
                "status_code": 4309,
                "description": "User updated successfully",
                "response": response.data,
            }
        )
