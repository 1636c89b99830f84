from django.db import migrations

from users.databases import LeaveRoomForUpdates


class Migration(migrations.Migration):
    dependencies = [("users", "0002_initial")]

    operations = [LeaveRoomForUpdates("User")]
