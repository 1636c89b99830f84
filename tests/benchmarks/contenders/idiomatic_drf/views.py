"""The call as a Django developer writes it by DRF's tutorial, on the same models."""

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.generics import UpdateAPIView
from rest_framework.response import Response

from users import tokens
from users.attributes import values
from users.attributes.rules import rules_by_field
from users.models import AccessToken, AttributeDefinition, User


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
        model = User
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
        changed = []
        for name, value in validated_data.items():
            if getattr(instance, name) != value:
                setattr(instance, name, value)
                changed.append(name)
        if changed:
            instance.updated_at = timezone.now()
            instance.save(update_fields=[*changed, "updated_at"])
        return instance


class UpdateUserView(UpdateAPIView):
    authentication_classes = [BearerAuthentication]
    serializer_class = UserSerializer

    def get_queryset(self):
        team = self.request.auth.teams.filter(pk=self.request.headers["teamid"]).first()
        if team is None:
            raise NotFound
        return User.objects.select_for_update(of=["self"]).filter(memberships__team=team)

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
