"""The data, its constraints, its state as predicates, and what a change of state entails."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth import models as auth_models
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.exceptions import ValidationError
from django.db import connections, models, router, transaction
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from users import attributes, tokens
from users.db import compiled
from users.db.fields import ExactCharField
from users.db.functions import SHA256, HeldOnSQLite, HeldValue, JSONRows, JSONType, JSONValue
from users.names import MAX_LENGTH as MAX_FOLDED_LENGTH
from users.names import fold


def validate_storable(value: object) -> None:
    """Raise `ValidationError` for text that some database refuses (U+0000, lone surrogates)."""
    if sentence := attributes.string_error(value):
        raise ValidationError(sentence)


class AttributeDefinition(models.Model):
    """One key that users' custom or skill attributes may hold, and the values that it takes."""

    class Kind(models.TextChoices):
        CUSTOM = "custom", _("custom attribute")
        SKILL = "skill", _("skill")

    class Type(models.TextChoices):
        TEXT = "text", _("text")
        NUMBER = "number", _("number")
        BOOLEAN = "boolean", _("yes or no")
        CHOICE = "choice", _("one choice")
        MULTIPLE_CHOICE = "multiple_choice", _("several choices")

    kind = ExactCharField(_("kind"), max_length=6, choices=Kind)
    name = ExactCharField(
        _("name"),
        max_length=attributes.MAX_KEY_LENGTH,
        help_text=_("The key as it stands in the API, such as “business”."),
    )
    type = ExactCharField(_("type"), max_length=15, choices=Type)
    choices = models.JSONField(_("choices"), default=list, blank=True)
    description = models.CharField(
        _("description"), max_length=255, blank=True, validators=[validate_storable]
    )

    class Meta:
        ordering = ("kind", "name")
        verbose_name = _("attribute definition")
        verbose_name_plural = _("attribute definitions")
        constraints = [
            models.UniqueConstraint(
                fields=("kind", "name"), name="users_attributedefinition_kind_name_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=("custom", "skill")),
                name="users_attributedefinition_kind_valid",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    type__in=("text", "number", "boolean", "choice", "multiple_choice")
                ),
                name="users_attributedefinition_type_valid",
            ),
            models.CheckConstraint(
                condition=Exact(JSONType("choices"), "array"),
                name="users_attributedefinition_choices_valid",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, **kwargs: Any) -> None:
        """Save the definition; `ValidationError` where its kind or name would change."""
        self._refuse_new_identity()
        super().save(**kwargs)

    @property
    def field(self) -> str:
        """The name of the user's field that holds the attribute."""
        return f"{self.kind}_attributes"

    @property
    def has_choices(self) -> bool:
        return self.type in (self.Type.CHOICE, self.Type.MULTIPLE_CHOICE)

    def clean(self) -> None:
        super().clean()
        errors = {
            field: sentence
            for field, sentence in (
                ("name", attributes.key_error(self.name)),
                ("choices", self._choices_error()),
            )
            if sentence
        }
        if errors:
            raise ValidationError(errors)
        self._refuse_new_identity()

    def _choices_error(self) -> str | None:
        if not isinstance(self.choices, list):
            return gettext("Must be a list of strings, not %s.") % attributes.json_type(
                self.choices
            )
        if not self.has_choices:
            return gettext("Only the types with choices take any.") if self.choices else None
        if not self.choices:
            return gettext("This type needs at least one choice.")
        if len(self.choices) > attributes.MAX_CHOICES:
            return gettext("Must have at most %(max)d choices, and has %(count)d.") % {
                "max": attributes.MAX_CHOICES,
                "count": len(self.choices),
            }
        for choice in self.choices:
            if sentence := attributes.string_error(choice) or attributes.length_error(
                choice, 1, attributes.MAX_STRING_LENGTH
            ):
                return gettext("Each choice: %s") % sentence
        if len(set(self.choices)) < len(self.choices):
            return gettext("Each choice must stand here once.")
        return None

    def _refuse_new_identity(self) -> None:
        # Users' attributes hold the name: under another one, their values would be orphans.
        stored = type(self)._base_manager.filter(pk=self.pk).values("kind", "name").first()
        for field, value in (stored or {}).items():
            if getattr(self, field) != value:
                raise ValidationError(
                    {field: gettext("Does not change once made (it is '%s').") % value}
                )


class DefinitionRow(NamedTuple):
    """What judges attributes of an `AttributeDefinition`, as `definition_rows` reads it."""

    kind: str
    name: str
    type: str
    choices: list[str]


def definition_rows() -> models.Subquery:
    """Return an expression for all definitions, to be read with something else in one statement.

    Its value is a list of lists, each a `DefinitionRow`; or None where there are none.
    """
    row = JSONRows("kind", "name", "type", JSONValue("choices"))
    return models.Subquery(AttributeDefinition.objects.order_by().values(rows=row))


class FoldedAttribute:
    """Descriptor of a `FoldedField`: always computed from the field that it folds."""

    def __init__(self, field: "FoldedField") -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = getattr(instance, self.field.of)
        return value and fold(value)

    def __set__(self, instance: models.Model, value: object) -> None:
        # Never read, but Django takes a field that is not in `__dict__` for a deferred one.
        instance.__dict__[self.field.attname] = value


class FoldedField(ExactCharField):
    """The value of another field as `users.names.fold` has it, for the database to keep unique.

    Python folds it, for SQLite and some of PostgreSQL's collations know the case of ASCII alone.
    Every way of saving an instance stores it (`loaddata` and `bulk_create` too).

    of: the name of the field that is folded.
    """

    descriptor_class = FoldedAttribute

    def __init__(self, *args: Any, of: str = "", **kwargs: Any) -> None:
        self.of = of
        kwargs |= {"editable": False, "max_length": MAX_FOLDED_LENGTH}
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"], kwargs["max_length"]
        return name, path, args, {**kwargs, "of": self.of}


class UniquelyNamed(models.Model):
    """A model with names that are unique as `FoldedField`s; its `clean()` says which is taken."""

    class Meta:
        abstract = True

    def save(self, **kwargs: Any) -> None:
        """Save; with a name that is saved in part (`update_fields`, `only()`), what it folds to."""
        saved = kwargs.get("update_fields")
        if saved is None:
            saved = self._part_that_was_read()
        if saved is not None:
            folded = {field.attname for field in self._folded_fields() if field.of in saved}
            kwargs["update_fields"] = {*saved, *folded}
        super().save(**kwargs)

    @classmethod
    def _stored_fields(cls) -> set[str]:
        """Return the fields that a save of the whole stores."""
        fields = cls._meta.concrete_fields
        return {field.attname for field in fields if not field.primary_key and not field.generated}

    def _part_that_was_read(self) -> set[str] | None:
        """Return the fields to save of an instance that was read in part (`only()`), else None.

        It is what Django saves of it.
        """
        read = self._stored_fields() & self.__dict__.keys()
        return None if read == self._stored_fields() else read

    @classmethod
    def _folded_fields(cls) -> "list[FoldedField]":
        return [field for field in cls._meta.concrete_fields if isinstance(field, FoldedField)]

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Validate the constraints but those on folded fields: `clean()` names the real ones."""
        folded = (field.attname for field in self._folded_fields())
        super().validate_constraints({*(exclude or ()), *folded})


class Team(UniquelyNamed):
    name = models.CharField(_("name"), max_length=150, validators=[validate_storable])
    name_key = FoldedField(of="name")
    members: models.ManyToManyField = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="teams"
    )

    class Meta:
        ordering = ("name", "id")
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [
            models.UniqueConstraint(fields=("name_key",), name="users_team_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.name and not self.name_key:
            raise ValidationError({"name": gettext("Must have a character that can be seen.")})
        others = type(self)._base_manager.exclude(pk=self.pk)
        if others.filter(name_key=self.name_key).exists():
            raise ValidationError({"name": gettext("A team with this name already exists.")})


class MembershipManager(models.Manager["Membership"]):
    """Memberships with what their names are made of."""

    def get_queryset(self) -> "models.QuerySet[Membership]":
        return super().get_queryset().select_related("user", "team")


class Membership(models.Model):
    """A user's place in a team, and the role there."""

    class Role(models.TextChoices):
        MANAGER = "Team Manager", _("Team Manager")
        AGENT = "Team Agent", _("Team Agent")
        ANALYST = "Team Analyst", _("Team Analyst")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("user"),
    )
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("team")
    )
    role = models.CharField(_("role"), max_length=12, choices=Role, default=Role.AGENT)

    objects = models.Manager()
    named = MembershipManager()

    class Meta:
        # The admin site names all memberships that go with a team or a user: thousands.
        base_manager_name = "named"
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=("user", "team"), name="users_membership_user_team_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=("Team Manager", "Team Agent", "Team Analyst")),
                name="users_membership_role_valid",
            ),
        ]

    def __str__(self) -> str:
        return gettext("%(user)s in %(team)s") % {"user": self.user, "team": self.team}


class AccessTokenManager(models.Manager["AccessToken"]):
    def issue(
        self, name: str, teams: Iterable[Team], expires_at: datetime | None = None
    ) -> tuple["AccessToken", str]:
        """Make an access token that is granted `teams` and runs out at `expires_at` (None: never).

        Returns (the stored token, the secret that the caller sends). The secret is not stored:
        this is the one time that it can be shown.
        """
        secret = tokens.new_token()
        using = self._db or router.db_for_write(self.model)
        with transaction.atomic(using=using):
            token = self.using(using).create(
                name=name,
                hint=tokens.hint(secret),
                digest=tokens.digest(secret),
                expires_at=expires_at,
            )
            token.teams.set(teams)
        return token, secret


class AccessToken(models.Model):
    """What a system that calls the API shows to be let in, and the teams that it may act for."""

    MAX_DAYS = 36_500

    # How exact the note of the last use is: a write for each call would cost more than it tells.
    LAST_USED_PRECISION = timedelta(minutes=1)

    name = models.CharField(_("name"), max_length=150, validators=[validate_storable])
    teams = models.ManyToManyField(
        Team,
        related_name="access_tokens",
        blank=True,
        verbose_name=_("teams"),
        help_text=_("The teams that the token may act for."),
    )
    hint = models.CharField(
        _("ends in"), max_length=tokens.HINT_LENGTH, blank=True, default="", editable=False
    )
    digest = models.CharField(
        max_length=64, unique=True, default=tokens.unusable_digest, editable=False
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(
        _("expires at"), null=True, blank=True, help_text=_("Empty: never.")
    )
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)

    objects = AccessTokenManager()

    class Meta:
        ordering = ("name", "id")
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")

    def __str__(self) -> str:
        # The name alone is not enough: a rotated token's successor has the same.
        return f"{self.name} (…{self.hint})" if self.hint else self.name

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    def revoke(self) -> None:
        """Let nobody in with the token any more."""
        if not self.is_revoked:
            self.revoked_at = timezone.now()
            self.save(update_fields=["revoked_at"])

    def rotate(self, grace: timedelta) -> tuple["AccessToken", str]:
        """Make a token with the same name, grants and lifetime; this one runs out after `grace`.

        Returns what `issue` returns.
        """
        now = timezone.now()
        expires_at = now + (self.expires_at - self.created_at) if self.expires_at else None
        with transaction.atomic(using=router.db_for_write(type(self), instance=self)):
            issued = type(self).objects.issue(self.name, self.teams.all(), expires_at)
            self.expires_at = min(filter(None, (self.expires_at, now + grace)))
            self.save(update_fields=["expires_at"])
        return issued

    def note_use(self) -> None:
        """Store that the token is used now, unless a use within the last minute is stored."""
        now = timezone.now()
        before = now - self.LAST_USED_PRECISION
        if self.last_used_at is None or self.last_used_at <= before:
            # Judged again by the database: of many workers that come here at once, one writes.
            unnoted = models.Q(last_used_at=None) | models.Q(last_used_at__lte=before)
            with transaction.atomic(using=router.db_for_write(type(self), instance=self)):
                type(self).objects.filter(unnoted, pk=self.pk).update(last_used_at=now)


class UserManager(BaseUserManager["AbstractUser"]):
    with_perm = auth_models.UserManager.with_perm

    def get_queryset(self) -> "models.QuerySet[AbstractUser]":
        """Return all users, to be filtered by `is_active` too, as Django's own code does."""
        is_active = models.Q(status=AbstractUser.Status.ACTIVE)
        aliases = {"is_active": models.ExpressionWrapper(is_active, models.BooleanField())}
        return super().get_queryset().alias(**aliases)

    def create_user(
        self, login_id: str, email_id: str, password: str | None = None, **fields: Any
    ) -> "AbstractUser":
        """Make and save a user; without a password, one who cannot log in."""
        user = self.model(
            login_id=self.model.normalize_username(login_id),
            email_id=self.normalize_email(email_id),
            **fields,
        )
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, login_id: str, email_id: str, password: str | None = None, **fields: Any
    ) -> "AbstractUser":
        """Make and save an administrator with all permissions."""
        fields = {"role_type": AbstractUser.RoleType.ADMINISTRATIVE, "is_superuser": True, **fields}
        return self.create_user(login_id, email_id, password, **fields)

    def get_by_natural_key(self, login_id: str | None) -> "AbstractUser":
        """Return the user whose login id is `login_id`, whatever the case."""
        return self.get(login_key=fold(login_id or ""))

    def lock_superusers(self) -> set[Any]:
        """Lock the superusers who may enter the admin site, and return their ids.

        Who takes access away from one of them locks all, in the order of their ids, and before any
        other user: so one stays, and no two wait for each other.
        """
        superusers = self.filter(
            is_superuser=True,
            status=AbstractUser.Status.ACTIVE,
            role_type=AbstractUser.RoleType.ADMINISTRATIVE,
        )
        return set(superusers.select_for_update().order_by("pk").values_list("pk", flat=True))

    def with_logged_in(self, now: Any = None) -> "models.QuerySet[AbstractUser]":
        """Return users that know whether they are logged in without a query for each.

        now: the moment that is asked for, or an expression of it.
        """
        if now is None:
            now = timezone.now()
        password = SHA256(models.OuterRef("password"))
        live = Session.objects.filter(
            user=models.OuterRef("pk"), expire_date__gt=now, password_digest=password
        )
        return self.annotate(_logged_in=models.Exists(live))


class AbstractUser(UniquelyNamed, AbstractBaseUser, PermissionsMixin):
    """A user of the chat platform: subclass it to name a user model of your own.

    Whatever is saved through an instance keeps these promises: `updated_at` moves, except for a
    log-in; making a user inactive clears `accepting_chats` and ends all of the user's sessions;
    `save()` after a new password writes what was changed since the user was read, and no more.
    A bare `queryset.update()` keeps neither.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        INACTIVE = "inactive", _("inactive")

    class RoleType(models.TextChoices):
        CUSTOMER_CARE = "Customer Care", _("Customer Care")
        ADMINISTRATIVE = "Administrative", _("Administrative")

    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now, editable=False)
    first_name = models.CharField(_("first name"), max_length=150, validators=[validate_storable])
    last_name = models.CharField(
        _("last name"), max_length=150, blank=True, validators=[validate_storable]
    )
    login_id = ExactCharField(
        _("login id"),
        max_length=150,
        unique=True,
        validators=[validate_storable],
        help_text=_("What the user logs in with. Upper and lower case are the same."),
    )
    login_key = FoldedField(of="login_id")
    email_id = models.EmailField(_("email"), max_length=254)
    email_key = FoldedField(of="email_id")
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.ACTIVE)
    job_description = models.CharField(
        _("job description"), max_length=255, blank=True, validators=[validate_storable]
    )
    login_using_email = models.BooleanField(_("may log in with the email address"), default=False)
    role_type = models.CharField(
        _("role type"), max_length=14, choices=RoleType, default=RoleType.CUSTOMER_CARE
    )
    accepting_chats = models.BooleanField(_("accepting chats"), default=False)
    active_chats = models.PositiveIntegerField(
        _("active chats"), default=0, help_text=_("The chats now in the user's “My Chats”.")
    )
    custom_attributes = models.JSONField(
        _("custom attributes"), default=dict, blank=True, decoder=attributes.JSONDecoder
    )
    skill_attributes = models.JSONField(
        _("skill attributes"), default=dict, blank=True, decoder=attributes.JSONDecoder
    )

    sessions: Any  # the reverse of `Session.user`

    objects = UserManager()

    USERNAME_FIELD = "login_id"
    EMAIL_FIELD = "email_id"
    REQUIRED_FIELDS = ["email_id", "first_name"]

    class Meta:
        abstract = True
        ordering = ("login_id",)
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(
                fields=("login_key",), name="%(app_label)s_%(class)s_login_id_unique"
            ),
            models.UniqueConstraint(
                fields=("email_key",), name="%(app_label)s_%(class)s_email_id_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=("active", "inactive")),
                name="%(app_label)s_%(class)s_status_valid",
            ),
            models.CheckConstraint(
                condition=models.Q(role_type__in=("Customer Care", "Administrative")),
                name="%(app_label)s_%(class)s_role_type_valid",
            ),
            models.CheckConstraint(
                condition=Exact(JSONType("custom_attributes"), "object"),
                name="%(app_label)s_%(class)s_custom_attributes_valid",
            ),
            models.CheckConstraint(
                condition=Exact(JSONType("skill_attributes"), "object"),
                name="%(app_label)s_%(class)s_skill_attributes_valid",
            ),
        ]

    # What was read of the row; None where it is no longer what the row holds.
    _stored_values: dict[str, Any] | None = None

    # Which saves are a log-in's own: its time, and a password hashed anew by a stronger hasher.
    _LOG_IN_FIELDS = frozenset({"last_login", "password"})

    #: The attribute objects: the field's name, and the kind of definition that rules it.
    ATTRIBUTE_FIELDS: Mapping[str, AttributeDefinition.Kind] = {
        "custom_attributes": AttributeDefinition.Kind.CUSTOM,
        "skill_attributes": AttributeDefinition.Kind.SKILL,
    }

    def __str__(self) -> str:
        return self.login_id

    def save(self, **kwargs: Any) -> None:
        if (update_fields := kwargs.get("update_fields")) is not None:
            saved = set(update_fields)
        elif (changed := self._changed_with_password(**kwargs)) is not None:
            # Django's password forms and commands save the whole of a user whom they read a minute
            # ago: what others changed meanwhile would be undone.
            saved = update_fields = changed | {"updated_at"}
        elif (update_fields := self._part_that_was_read()) is not None:
            saved = set(update_fields)
        else:
            saved = self._stored_fields()
        deactivates = "status" in saved and not self.is_active
        if deactivates:
            self.accepting_chats = False
            saved.add("accepting_chats")
        if saved - self._LOG_IN_FIELDS:
            self._stored_values = None
            self.updated_at = timezone.now()
            saved.add("updated_at")
        if update_fields is not None:
            kwargs["update_fields"] = saved
        if not deactivates:
            super().save(**kwargs)
            return
        using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using, savepoint=False):
            super().save(**kwargs)
            self.end_sessions()

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        return self.status == self.Status.ACTIVE

    @property
    def is_staff(self) -> bool:
        return self.is_active and self.role_type == self.RoleType.ADMINISTRATIVE

    @property
    def logged_in(self) -> bool:
        """Whether the user has a session that has neither ended nor expired.

        One from before the password changed has ended: Django lets nobody in with it.
        """
        if hasattr(self, "_logged_in"):
            return self.is_active and self._logged_in
        password = SHA256(models.F("user__password"))
        return self.sessions.filter(
            expire_date__gt=timezone.now(), password_digest=password
        ).exists()

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        return self.first_name

    def end_sessions(self) -> None:
        """End all of the user's sessions: whoever is logged in is thrown out at the next click."""
        self.sessions.all().delete()

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> "AbstractUser":
        user = super().from_db(*args, **kwargs)
        user._stored_values = _copied(user.__dict__)
        return user

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        self._stored_values = None
        super().refresh_from_db(*args, **kwargs)

    def _changed_with_password(
        self, using: str | None = None, force_insert: Any = False, **kwargs: Any
    ) -> set[str] | None:
        """Return the fields that were changed since the user was read, if the password was."""
        stored = self._stored_values
        elsewhere = force_insert or using not in (None, self._state.db)
        if stored is None or elsewhere or self.pk != stored.get(self._meta.pk.attname):
            return None
        changed = {
            field.attname
            for field in self._meta.concrete_fields
            if field.attname in self.__dict__
            and not attributes.same(self.__dict__[field.attname], stored.get(field.attname))
        }
        return changed if "password" in changed else None

    def _save_table(
        self,
        raw: bool = False,
        cls: Any = None,
        force_insert: Any = False,
        force_update: bool = False,
        using: Any = None,
        update_fields: Any = None,
    ) -> Any:
        """Save fields of a stored row by a compiled statement, all else as Django does."""
        plain_update = update_fields and not raw and not force_insert
        if plain_update and compiled.update(self, cls, using, update_fields):
            return True
        django: Any = super()
        if not raw or self.is_active:
            return django._save_table(raw, cls, force_insert, force_update, using, update_fields)
        # A fixture passes by `save()`.
        self.accepting_chats = False
        with transaction.atomic(using=using, savepoint=False):
            self.end_sessions()
            return django._save_table(raw, cls, force_insert, force_update, using, update_fields)

    def clean(self) -> None:
        """Judge the attributes that a change brings, and the names that must be unique."""
        super().clean()
        self.email_id = type(self).objects.normalize_email(self.email_id)
        errors: dict[str, Any] = {}
        others = type(self)._base_manager.exclude(pk=self.pk)
        if self.login_id and not self.login_key:
            errors["login_id"] = _("Must have a character that can be seen.")
        if others.filter(login_key=self.login_key).exists():
            errors["login_id"] = _("A user with this login id already exists.")
        if others.filter(email_key=self.email_key).exists():
            errors["email_id"] = _("A user with this email already exists.")
        errors |= self._attribute_errors()
        if errors:
            raise ValidationError(errors)

    def _attribute_errors(self) -> dict[str, list[str]]:
        stored = type(self)._base_manager.filter(pk=self.pk).values(*self.ATTRIBUTE_FIELDS).first()
        definitions = AttributeDefinition.objects.all()
        errors = {}
        for field, kind in self.ATTRIBUTE_FIELDS.items():
            wanted = getattr(self, field)
            if not isinstance(wanted, dict):
                errors[field] = [f"Must be an object, not {attributes.json_type(wanted)}."]
            elif found := judge_attributes(
                stored[field] if stored else {}, wanted, kind, definitions
            ):
                errors[field] = attributes.flat(found)
        return errors


def _copied(value: Any) -> Any:
    """Return a copy of a JSON value, which no change within `value` reaches."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def judge_attributes(
    stored: attributes.Attributes,
    wanted: attributes.Attributes,
    kind: AttributeDefinition.Kind,
    definitions: Iterable[AttributeDefinition] | Iterable[DefinitionRow],
) -> attributes.Errors:
    """Judge a change of a user's attribute object by those of `definitions` that are of its kind.

    Returns the errors as `attributes.judge` does.
    """
    return attributes.judge(
        stored,
        wanted,
        {definition.name: definition for definition in definitions if definition.kind == kind},
        undefined_allowed=kind == AttributeDefinition.Kind.SKILL,
    )


def held(definition: AttributeDefinition, choice: str | None = None) -> Any:
    """Return the condition that a user holds the attribute of `definition`: any value, or one."""
    field, name = definition.field, definition.name
    if connections[get_user_model()._default_manager.db].vendor == "sqlite":
        asked = (models.Value(value, models.CharField()) for value in (name, choice))
        return HeldOnSQLite(models.F(field), *asked)
    if choice is None:
        return models.Q(**{f"{field}__has_key": name})
    one, several = {f"{field}__contains": {name: choice}}, {f"{field}__contains": {name: [choice]}}
    return models.Q(**one) | models.Q(**several)


def holders(
    definition: AttributeDefinition, choice: str | None = None
) -> "models.QuerySet[AbstractUser]":
    """Return the users who hold the attribute of `definition`: any value, or one choice."""
    return get_user_model()._default_manager.filter(held(definition, choice))


def count_holders(definitions: Sequence[AttributeDefinition]) -> list[int]:
    """Return how many users hold the attribute of each definition, by a query for hundreds."""
    users, counts = get_user_model()._default_manager, list[int]()
    for start in range(0, len(definitions), 500):  # databases bound the columns of a query
        asked = definitions[start : start + 500]
        columns = {
            f"held_{number}": models.Count("pk", filter=held(definition))
            for number, definition in enumerate(asked)
        }
        counts += users.aggregate(**columns).values()
    return counts


def count_choices(definition: AttributeDefinition) -> Counter[str]:
    """Return how many users hold each choice, or have it in their list, by one query."""
    users = holders(definition)
    name = models.Value(definition.name, models.CharField())
    value = HeldValue(models.F(definition.field), name)
    counts = Counter[str]()
    values = users.order_by().values_list(value).annotate(models.Count("pk"))
    for held_value, number in values.iterator():
        items = held_value if isinstance(held_value, list) else [held_value]
        for choice in {item for item in items if isinstance(item, str)}:
            counts[choice] += number
    return counts


class User(AbstractUser):
    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"


class Session(AbstractBaseSession):
    """A session of Django's that knows whose it is (`users.sessions` stores it)."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sessions"
    )
    # The SHA-256 digest of the user's hashed password that the session was begun under.
    password_digest = models.CharField(max_length=64, blank=True, editable=False)

    def __str__(self) -> str:
        # Not the key, which lets in whoever reads it: the admin site names what goes with a user.
        return gettext("expires at %s") % self.expire_date

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        return import_module(settings.SESSION_ENGINE).SessionStore
