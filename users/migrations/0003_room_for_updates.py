from django.db import migrations

from users.db.operations import LeaveRoomForUpdates


class Migration(migrations.Migration):
    dependencies = [("users", "0002_initial")]

    operations = [LeaveRoomForUpdates("User")]
