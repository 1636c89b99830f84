from django.db import models

from users.models import AbstractUser


class Agent(AbstractUser):
    desk = models.CharField(max_length=20, default="none")
    seat = models.GeneratedField(
        expression=models.F("desk"), output_field=models.CharField(max_length=20), db_persist=True
    )
