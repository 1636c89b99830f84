import django.db.models.deletion
import users.db.fields
import users.models.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    # Each column has a default of the database's: workers that run the code from before it can
    # still insert rows.
    dependencies = [("users", "0002_history")]

    operations = [
        migrations.AddField(
            model_name="accesstoken",
            name="scim_team",
            field=models.ForeignKey(
                blank=True,
                help_text="For an identity provider (SCIM): the team that the users join whom it makes. The token is granted it, too. Empty: the token is none of an identity provider's.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="scim_access_tokens",
                to="users.team",
                verbose_name="SCIM team",
            ),
        ),
        migrations.AddField(
            model_name="team",
            name="external_id",
            field=users.db.fields.ExactCharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="What the identity provider calls the team (SCIM's externalId).",
                max_length=255,
                validators=[users.models.validators.validate_storable],
                verbose_name="external id",
            ),
        ),
        migrations.AddField(
            model_name="team",
            name="made_by_scim",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="The identity provider that made the team may delete it.",
                verbose_name="made by SCIM",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="ended_by_scim_team",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="user",
            name="external_id",
            field=users.db.fields.ExactCharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="What the identity provider calls the user (SCIM's externalId).",
                max_length=255,
                validators=[users.models.validators.validate_storable],
                verbose_name="external id",
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["external_id"], name="users_user_externa_74b72c_idx"),
        ),
    ]
