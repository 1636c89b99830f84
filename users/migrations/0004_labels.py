from django.db import migrations, models


class Migration(migrations.Migration):
    # The default is the database's: workers that run the code from before it can still insert rows.
    dependencies = [("users", "0003_scim")]

    operations = [
        migrations.AddField(
            model_name="attributedefinition",
            name="labels",
            field=models.JSONField(blank=True, db_default={}, default=dict, verbose_name="labels"),
        ),
    ]
