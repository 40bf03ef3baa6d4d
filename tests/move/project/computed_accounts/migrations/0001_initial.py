import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name="ComputedUser",
            fields=[
                ("password", models.CharField(max_length=128)),
                ("last_login", models.DateTimeField(blank=True, null=True)),
                ("number", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("handle", models.CharField(max_length=40, unique=True)),
                ("address", models.EmailField(blank=True, max_length=254)),
                ("rank", models.CharField(default="member", max_length=20)),
            ],
        ),
    ]
