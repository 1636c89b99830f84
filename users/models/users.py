"""The user: fields, constraints, state, and what a change of state entails."""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from django.contrib.auth import models as auth_models
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import NotSupportedError, connections, models, router, transaction
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users.attributes import values
from users.attributes.rules import KINDS, flat, rules_by_field
from users.db import batches, compiled
from users.db.fields import ExactCharField, FoldedField, SearchableField
from users.db.functions import SHA256, IsSame, JSONType
from users.models import locking
from users.models.attribute_definitions import AttributeDefinition
from users.models.locking import IS_ACTIVE_SUPERUSER
from users.models.names import UniquelyNamed
from users.models.recording import Recording, record_creations
from users.models.sessions import Session
from users.models.validators import validate_storable
from users.names import fold


class UserQuerySet(models.QuerySet[Any]):
    """Users, of whom what is created and updated in bulk is recorded as what is saved."""

    def bulk_create(
        self,
        objs: Iterable[Any],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        *args: Any,
        **kwargs: Any,
    ) -> list[Any]:
        """Raises `NotSupportedError` if conflicts are to be ignored or made updates of."""
        if ignore_conflicts or update_conflicts:
            raise NotSupportedError(
                "bulk_create() of users takes neither ignore_conflicts nor update_conflicts: the "
                "history could not tell which users are new."
            )
        self._for_write = True
        users = list(objs)
        for user in users:
            if not user.is_active:
                user.accepting_chats = False
        with transaction.atomic(using=self.db, savepoint=False):
            super().bulk_create(users, batch_size)
            record_creations(self.model, users, self.db)
        for user in users:
            user._password = None  # as after `save()`: the next one sets none
        return users

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def bulk_update(
        self,
        objs: Iterable[Any],
        fields: Iterable[str],
        batch_size: int | None = None,
    ) -> int:
        """Save `fields` of each user as `save(update_fields=...)` does, in one transaction.

        Users that are not stored are left out, as by Django's. Return how many were stored.
        """
        self._for_write = True
        users = list(objs)
        names = list(fields)
        super().bulk_update((), names, batch_size)  # which checks the names
        if any(user.pk is None for user in users):
            raise ValueError("All bulk_update() objects must have a primary key set.")
        with transaction.atomic(using=self.db, savepoint=False):
            # All locks first, in their order, so that no two wait for each other.
            stored = {pk for (pk,) in locking.lock_ids({user.pk for user in users}, self.db)}
            with batches.batch(self.db):
                for user in users:
                    if user.pk in stored:
                        user.save(using=self.db, update_fields=names)
        return len(stored)

    bulk_update.alters_data = True  # type: ignore[attr-defined]


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
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
        return {pk for (pk,) in locking.lock(self.active_superusers())}

    def active_superusers(self) -> "models.QuerySet[AbstractUser]":
        """Return the superusers who may enter the admin site."""
        return self.filter(IS_ACTIVE_SUPERUSER)

    def lock(self, users: "models.QuerySet[AbstractUser]") -> set[Any]:
        """Lock many users in the order that `lock_superusers` keeps to, and return their ids."""
        if connections[self.db].vendor == "mysql":
            locking.lock(users.filter(IS_ACTIVE_SUPERUSER))
        return {pk for (pk,) in locking.lock(users)}

    def with_logged_in(self, now: Any = None) -> "models.QuerySet[AbstractUser]":
        """Return users that know whether they are logged in without a query for each.

        now: the moment that is asked for, or an expression of it.
        """
        return self.annotate(_logged_in=has_session("", now))


def has_session(user: str, now: Any = None) -> models.Exists:
    """Return the condition that a user has a session which has neither ended nor expired.

    user: the lookup of the user from the queryset's model, such as `user__`.
    now: the moment that is asked for, or an expression of it.
    """
    live = Session.objects.filter(
        IsSame("password_digest", SHA256(models.OuterRef(f"{user}password"))),
        user=models.OuterRef(f"{user}pk"),
        expire_date__gt=timezone.now() if now is None else now,
    )
    return models.Exists(live)


class AbstractUser(UniquelyNamed, AbstractBaseUser, PermissionsMixin):
    """A user of the chat platform: subclass it to name a user model of your own.

    Whatever is saved through an instance keeps these promises: `updated_at` moves, except for a
    log-in; making a user inactive clears `accepting_chats` and ends all of the user's sessions;
    `save()` after a new password writes what was changed since the user was read, and no more.
    `bulk_create()` and `bulk_update()` keep them too; a bare `queryset.update()` does not.
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
    text_key = SearchableField(of=("first_name", "last_name", "login_id", "email_id"))
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
    external_id = ExactCharField(
        _("external id"),
        max_length=255,
        blank=True,
        default="",
        db_default="",
        editable=False,
        validators=[validate_storable],
        help_text=_("What the identity provider calls the user (SCIM's externalId)."),
    )
    # The id of the SCIM team whose token ended the user: a number, for a project's own user model
    # comes before the teams.
    ended_by_scim_team = models.BigIntegerField(null=True, editable=False)
    custom_attributes = models.JSONField(
        _("custom attributes"), default=dict, blank=True, decoder=values.JSONDecoder
    )
    skill_attributes = models.JSONField(
        _("skill attributes"), default=dict, blank=True, decoder=values.JSONDecoder
    )

    sessions: Any  # the reverse of `Session.user`

    _password: str | None  # Django's: one that was set and is not saved yet

    objects = UserManager()

    USERNAME_FIELD = "login_id"
    EMAIL_FIELD = "email_id"
    REQUIRED_FIELDS = ["email_id", "first_name"]

    class Meta:
        abstract = True
        ordering = ("login_id",)
        verbose_name = _("user")
        verbose_name_plural = _("users")
        default_permissions = ("add", "change", "delete", "view", "import", "export")
        # For lists by the time of creation, and for look-ups by identity providers. No usual update
        # changes these fields, so none touches the indexes.
        indexes = [
            models.Index(fields=("created_at", "id")),
            models.Index(fields=("external_id",)),
        ]
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

    #: The fields that the history does not keep, of those that a project adds.
    UNRECORDED_FIELDS: Collection[str] = ()

    # For `users.models.recording`: what the row holds, by attribute name, where it has been locked
    # since it was read; and the change that made the user, in the transaction that did.
    locked_values: dict[str, Any] | None = None

    # For the same: the roles, by team id, that a new user is saved with.
    first_roles: Mapping[int, str] = {}

    _recording: Recording | None = None  # of the save that runs

    # What was read of the row, by attribute name; None where it is no longer what the row holds.
    stored_values: dict[str, Any] | None = None

    # Which saves are a log-in's own: its time, and a password rehashed by a stronger hasher.
    _LOG_IN_FIELDS = frozenset({"last_login", "password"})

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
            self.stored_values = None
            self.updated_at = timezone.now()
            saved |= {"updated_at", *self._auto_now_fields()}
        if update_fields is not None:
            kwargs["update_fields"] = saved
        unsaved_password = None if "password" in saved else self._password
        if deactivates:
            using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
            with transaction.atomic(using=using, savepoint=False):
                super().save(**kwargs)
                batches.gather(using, self.end_sessions_of, self.pk)
        else:
            super().save(**kwargs)
        # Any save makes Django forget it: the one that stores it would look like a log-in's.
        self._password = unsaved_password

    @classmethod
    def is_saved_plainly(cls) -> bool:
        """Return True if `save()` does only what stands here: the project neither overrides it, nor
        has receivers of the signals that it sends.
        """
        methods = ("save", "save_base", "_save_table")
        is_overridden = any(getattr(cls, m) is not getattr(AbstractUser, m) for m in methods)
        signals = (models.signals.pre_save, models.signals.post_save)
        return not is_overridden and not any(signal.has_listeners(cls) for signal in signals)

    @classmethod
    @cache
    def _auto_now_fields(cls) -> frozenset[str]:
        """Return the fields of the project's own that move by themselves, as `updated_at` does."""
        fields = cls._meta.concrete_fields
        return frozenset(field.name for field in fields if getattr(field, "auto_now", False))

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        return self.status == self.Status.ACTIVE

    @property
    def is_staff(self) -> bool:
        return self.is_active and self.role_type == self.RoleType.ADMINISTRATIVE

    @property
    def logged_in(self) -> bool:
        """True if the user has a session that has neither ended nor expired.

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
        """End all of the user's sessions, so that the user is logged out."""
        self.end_sessions_of([self.pk], self._state.db or router.db_for_write(Session))

    @classmethod
    def end_sessions_of(cls, user_ids: Collection[Any], using: str) -> None:
        """End all sessions of the users, as each change that makes one of them inactive does."""
        Session._base_manager.using(using).filter(user__in=user_ids).delete()

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> "AbstractUser":
        user = super().from_db(*args, **kwargs)
        user.stored_values = _copied(user.__dict__)
        return user

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        self.stored_values = None
        super().refresh_from_db(*args, **kwargs)

    def _changed_with_password(
        self, using: str | None = None, force_insert: Any = False, **kwargs: Any
    ) -> set[str] | None:
        """Return the fields that were changed since the user was read, if the password was."""
        stored = self.stored_values
        elsewhere = force_insert or using not in (None, self._state.db)
        if stored is None or elsewhere or self.pk != stored.get(self._meta.pk.attname):
            return None
        changed = {
            field.attname
            for field in self._meta.concrete_fields
            if field.attname in self.__dict__
            and not values.same(self.__dict__[field.attname], stored.get(field.attname))
        }
        return changed if "password" in changed else None

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().save_base(*args, **kwargs)
        finally:
            self._recording = None

    def _save_table(
        self,
        raw: bool = False,
        cls: Any = None,
        force_insert: Any = False,
        force_update: bool = False,
        using: Any = None,
        update_fields: Any = None,
    ) -> Any:
        """Save the row, and in the history what it changes; of a fixture too, which is `raw`.

        Fields of a stored row are saved by a compiled statement, all else as Django does.
        """
        django: Any = super()
        if not issubclass(cls, AbstractUser):  # another parent of the project's model
            return django._save_table(raw, cls, force_insert, force_update, using, update_fields)
        if raw and not self.is_active:
            self.accepting_chats = False
        plain = update_fields and not raw and not force_insert
        with transaction.atomic(using=using, savepoint=False):
            recording = self._recording or Recording(self, cls, update_fields, force_insert, using)
            self._recording = recording
            update = compiled.plan_update(self, cls, using, update_fields) if plain else None
            if update and recording.save(update, cls):
                return True
            result = django._save_table(raw, cls, force_insert, force_update, using, update_fields)
            recording.write(cls)
        if raw and not self.is_active:
            self.end_sessions()
        return result

    def clean(self) -> None:
        """Validate the attributes that a change brings, and the names that must be unique."""
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
        fields = list(KINDS)
        stored = self.stored_values or {}
        if not stored.keys() >= KINDS.keys():
            stored = type(self)._base_manager.filter(pk=self.pk).values(*fields).first() or {}
        changed = [f for f in fields if not values.same(stored.get(f, {}), getattr(self, f))]
        rules = rules_by_field(AttributeDefinition.objects.all()) if changed else {}
        errors = {}
        for field in changed:
            wanted = getattr(self, field)
            if not isinstance(wanted, dict):
                errors[field] = [str(_("Must be an object, not %s.") % values.json_type(wanted))]
            elif found := rules[field].validate(stored.get(field, {}), wanted):
                errors[field] = flat(found)
        return errors


def _copied(value: Any) -> Any:
    """Return a copy of a JSON value, which no change within `value` reaches."""
    if isinstance(value, dict):
        # Most values are no containers, which need no call.
        return {
            key: _copied(item) if isinstance(item, dict | list) else item
            for key, item in value.items()
        }
    return [_copied(item) for item in value] if isinstance(value, list) else value


class User(AbstractUser):
    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"
