import django.utils.timezone
import users.attributes.values
import users.db.functions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="FeedState",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("epoch", models.PositiveIntegerField(default=1)),
                ("pruned_transaction_id", models.BigIntegerField(default=0)),
                ("pruned_id", models.BigIntegerField(default=0)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "transaction_id",
                    models.BigIntegerField(
                        db_default=users.db.functions.TransactionID(), editable=False
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="time"),
                ),
                ("user_id", models.BigIntegerField(verbose_name="user id")),
                ("login_id", models.CharField(max_length=150, verbose_name="login id")),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("created", "created"),
                            ("updated", "updated"),
                            ("deleted", "deleted"),
                        ],
                        max_length=7,
                        verbose_name="action",
                    ),
                ),
                (
                    "door",
                    models.CharField(
                        choices=[
                            ("api", "API"),
                            ("admin", "admin site"),
                            ("import", "file import"),
                            ("scim", "directory (SCIM)"),
                            ("command", "command line"),
                            ("code", "other program code"),
                        ],
                        max_length=7,
                        verbose_name="made through",
                    ),
                ),
                (
                    "by_type",
                    models.CharField(
                        blank=True,
                        choices=[("access_token", "access token"), ("user", "user")],
                        max_length=12,
                        verbose_name="changed by",
                    ),
                ),
                ("by_id", models.BigIntegerField(blank=True, null=True)),
                ("by_name", models.CharField(blank=True, max_length=150)),
                ("trxid", models.CharField(blank=True, max_length=36, verbose_name="transaction")),
                (
                    "before",
                    models.JSONField(
                        decoder=users.attributes.values.JSONDecoder, verbose_name="before"
                    ),
                ),
                (
                    "after",
                    models.JSONField(
                        decoder=users.attributes.values.JSONDecoder, verbose_name="after"
                    ),
                ),
                ("teams", models.JSONField(default=list)),
            ],
            options={
                "verbose_name": "change",
                "verbose_name_plural": "changes",
                "ordering": ("-id",),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["user_id", "id"], name="users_change_user"),
                    models.Index(fields=["transaction_id", "id"], name="users_change_feed"),
                    models.Index(fields=["at"], name="users_change_at"),
                    models.Index(fields=["login_id", "user_id"], name="users_change_login_id"),
                ],
            },
        ),
    ]
