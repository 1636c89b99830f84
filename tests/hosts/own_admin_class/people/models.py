from django.db import models

from users.models import AbstractUser


class Agent(AbstractUser):
    desk = models.CharField(max_length=20, blank=True)
    hired_on = models.DateField()
    mentors = models.ManyToManyField("self", blank=True)
    touched_at = models.DateTimeField(auto_now=True)
