import django.core.validators
import django.db.models.deletion
import django.db.models.lookups
import django.db.models.manager
import django.utils.timezone
import users.attributes.values
import users.db.fields
import users.db.functions
import users.models.validators
import users.tokens
from django.conf import settings
from django.db import migrations, models

from users.db.operations import LeaveRoomForUpdates


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        # A host's own user model has to be there first.
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="updated at"
                    ),
                ),
                (
                    "first_name",
                    models.CharField(
                        max_length=150,
                        validators=[users.models.validators.validate_storable],
                        verbose_name="first name",
                    ),
                ),
                (
                    "last_name",
                    models.CharField(
                        blank=True,
                        max_length=150,
                        validators=[users.models.validators.validate_storable],
                        verbose_name="last name",
                    ),
                ),
                (
                    "login_id",
                    users.db.fields.ExactCharField(
                        help_text="What the user logs in with. Upper and lower case are the same.",
                        max_length=150,
                        unique=True,
                        validators=[users.models.validators.validate_storable],
                        verbose_name="login id",
                    ),
                ),
                ("login_key", users.db.fields.FoldedField(of="login_id")),
                ("email_id", models.EmailField(max_length=254, verbose_name="email")),
                ("email_key", users.db.fields.FoldedField(of="email_id")),
                (
                    "text_key",
                    users.db.fields.SearchableField(
                        of=("first_name", "last_name", "login_id", "email_id")
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "active"), ("inactive", "inactive")],
                        default="active",
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                (
                    "job_description",
                    models.CharField(
                        blank=True,
                        max_length=255,
                        validators=[users.models.validators.validate_storable],
                        verbose_name="job description",
                    ),
                ),
                (
                    "login_using_email",
                    models.BooleanField(
                        default=False, verbose_name="may log in with the email address"
                    ),
                ),
                (
                    "role_type",
                    models.CharField(
                        choices=[
                            ("Customer Care", "Customer Care"),
                            ("Administrative", "Administrative"),
                        ],
                        default="Customer Care",
                        max_length=14,
                        verbose_name="role type",
                    ),
                ),
                (
                    "accepting_chats",
                    models.BooleanField(default=False, verbose_name="accepting chats"),
                ),
                (
                    "active_chats",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="The chats now in the user's “My Chats”.",
                        verbose_name="active chats",
                    ),
                ),
                (
                    "custom_attributes",
                    models.JSONField(
                        blank=True,
                        decoder=users.attributes.values.JSONDecoder,
                        default=dict,
                        verbose_name="custom attributes",
                    ),
                ),
                (
                    "skill_attributes",
                    models.JSONField(
                        blank=True,
                        decoder=users.attributes.values.JSONDecoder,
                        default=dict,
                        verbose_name="skill attributes",
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "ordering": ("login_id",),
                "abstract": False,
                "default_permissions": (
                    "add",
                    "change",
                    "delete",
                    "view",
                    "import",
                    "export",
                ),
                "swappable": "AUTH_USER_MODEL",
            },
        ),
        migrations.CreateModel(
            name="AttributeDefinition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    users.db.fields.ExactCharField(
                        choices=[("custom", "custom attribute"), ("skill", "skill")],
                        max_length=6,
                        verbose_name="kind",
                    ),
                ),
                (
                    "name",
                    users.db.fields.ExactCharField(
                        help_text="The key as it stands in the API, such as “business”.",
                        max_length=64,
                        verbose_name="name",
                    ),
                ),
                (
                    "type",
                    users.db.fields.ExactCharField(
                        choices=[
                            ("text", "text"),
                            ("number", "number"),
                            ("boolean", "yes or no"),
                            ("choice", "one choice"),
                            ("multiple_choice", "several choices"),
                        ],
                        max_length=15,
                        verbose_name="type",
                    ),
                ),
                (
                    "choices",
                    models.JSONField(
                        blank=True,
                        decoder=users.attributes.values.ChoicesDecoder,
                        default=list,
                        verbose_name="choices",
                    ),
                ),
                (
                    "description",
                    models.CharField(
                        blank=True,
                        max_length=255,
                        validators=[users.models.validators.validate_storable],
                        verbose_name="description",
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="Attributes are shown in this order; those with the same number, by name.",
                        validators=[django.core.validators.MaxValueValidator(32767)],
                        verbose_name="position",
                    ),
                ),
            ],
            options={
                "verbose_name": "attribute definition",
                "verbose_name_plural": "attribute definitions",
                "ordering": ("kind", "position", "name"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "name"), name="users_attributedefinition_kind_name_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ("custom", "skill"))),
                        name="users_attributedefinition_kind_valid",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("type__in", ("text", "number", "boolean", "choice", "multiple_choice"))
                        ),
                        name="users_attributedefinition_type_valid",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            users.db.functions.JSONType("choices"), "array"
                        ),
                        name="users_attributedefinition_choices_valid",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("Team Manager", "Team Manager"),
                            ("Team Agent", "Team Agent"),
                            ("Team Analyst", "Team Analyst"),
                        ],
                        default="Team Agent",
                        max_length=12,
                        verbose_name="role",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "membership",
                "verbose_name_plural": "memberships",
                "base_manager_name": "named",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("named", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="invitation",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("links", models.PositiveSmallIntegerField(default=0, editable=False)),
                (
                    "links_since",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
            ],
            options={
                "default_permissions": (),
                "verbose_name": "invitation",
                "verbose_name_plural": "invitations",
            },
        ),
        migrations.CreateModel(
            name="ListColumns",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("names", models.JSONField(default=list)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(
                        max_length=40, primary_key=True, serialize=False, verbose_name="session key"
                    ),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("password_digest", models.CharField(blank=True, editable=False, max_length=64)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=150,
                        validators=[users.models.validators.validate_storable],
                        verbose_name="name",
                    ),
                ),
                ("name_key", users.db.fields.FoldedField(of="name")),
                (
                    "members",
                    models.ManyToManyField(
                        related_name="teams",
                        through="users.Membership",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "team",
                "verbose_name_plural": "teams",
                "ordering": ("name", "id"),
            },
        ),
        migrations.AddField(
            model_name="membership",
            name="team",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="memberships",
                to="users.team",
                verbose_name="team",
            ),
        ),
        migrations.CreateModel(
            name="AccessToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=150,
                        validators=[users.models.validators.validate_storable],
                        verbose_name="name",
                    ),
                ),
                (
                    "read_only",
                    models.BooleanField(
                        default=False,
                        help_text="The token may read, but change nothing.",
                        verbose_name="read only",
                    ),
                ),
                (
                    "rate_limit",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="How many calls the token may make in a day (UTC). Empty: the default.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000000000),
                        ],
                        verbose_name="calls a day",
                    ),
                ),
                (
                    "hint",
                    models.CharField(
                        blank=True, default="", editable=False, max_length=4, verbose_name="ends in"
                    ),
                ),
                (
                    "digest",
                    models.CharField(
                        default=users.tokens.unusable_digest,
                        editable=False,
                        max_length=64,
                        unique=True,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
                (
                    "expires_at",
                    models.DateTimeField(
                        blank=True, help_text="Empty: never.", null=True, verbose_name="expires at"
                    ),
                ),
                (
                    "revoked_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="revoked at"),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="last used at"
                    ),
                ),
                (
                    "teams",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The teams that the token may act for.",
                        related_name="access_tokens",
                        to="users.team",
                        verbose_name="teams",
                    ),
                ),
            ],
            options={
                "verbose_name": "access token",
                "verbose_name_plural": "access tokens",
                "ordering": ("name", "id"),
            },
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["created_at", "id"], name="users_user_created_cead48_idx"),
        ),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(fields=["team", "user"], name="users_membership_team_user"),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                fields=("login_key",), name="users_user_login_id_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                fields=("email_key",), name="users_user_email_id_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ("active", "inactive"))),
                name="users_user_status_valid",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("role_type__in", ("Customer Care", "Administrative"))),
                name="users_user_role_type_valid",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.Exact(
                    users.db.functions.JSONType("custom_attributes"), "object"
                ),
                name="users_user_custom_attributes_valid",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.Exact(
                    users.db.functions.JSONType("skill_attributes"), "object"
                ),
                name="users_user_skill_attributes_valid",
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.UniqueConstraint(fields=("name_key",), name="users_team_name_unique"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                fields=("user", "team"), name="users_membership_user_team_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ("Team Manager", "Team Agent", "Team Analyst"))),
                name="users_membership_role_valid",
            ),
        ),
        LeaveRoomForUpdates("User"),
    ]
