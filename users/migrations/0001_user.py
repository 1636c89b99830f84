import django.db.models.deletion
import django.db.models.lookups
import django.utils.timezone
import users.attributes
import users.db.fields
import users.db.functions
import users.models
import users.tokens
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
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
                        validators=[users.models.validate_storable],
                        verbose_name="first name",
                    ),
                ),
                (
                    "last_name",
                    models.CharField(
                        blank=True,
                        max_length=150,
                        validators=[users.models.validate_storable],
                        verbose_name="last name",
                    ),
                ),
                (
                    "login_id",
                    users.db.fields.ExactCharField(
                        help_text="What the user logs in with. Upper and lower case are the same.",
                        max_length=150,
                        unique=True,
                        validators=[users.models.validate_storable],
                        verbose_name="login id",
                    ),
                ),
                ("login_key", users.models.FoldedField(of="login_id")),
                ("email_id", models.EmailField(max_length=254, verbose_name="email")),
                ("email_key", users.models.FoldedField(of="email_id")),
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
                        validators=[users.models.validate_storable],
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
                        decoder=users.attributes.JSONDecoder,
                        default=dict,
                        verbose_name="custom attributes",
                    ),
                ),
                (
                    "skill_attributes",
                    models.JSONField(
                        blank=True,
                        decoder=users.attributes.JSONDecoder,
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
                "swappable": "AUTH_USER_MODEL",
            },
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
    ]
