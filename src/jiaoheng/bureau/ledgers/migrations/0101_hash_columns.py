"""Columns and indexes of the keyed hashes by which protected values are found."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0101_phone_sealed"),
        ("ledgers", "0010_version_now_scope"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="recordversion",
            name="h0",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="recordversion",
            name="h1",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="recordversion",
            name="h2",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="recordversion",
            name="h3",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="recordversion",
            index=models.Index(
                condition=models.Q(("deleted", False), ("valid_to__isnull", True), ("h0__isnull", False)),
                fields=["h0", "register"],
                name="version_h0",
            ),
        ),
        migrations.AddIndex(
            model_name="recordversion",
            index=models.Index(
                condition=models.Q(("deleted", False), ("valid_to__isnull", True), ("h1__isnull", False)),
                fields=["h1", "register"],
                name="version_h1",
            ),
        ),
        migrations.AddIndex(
            model_name="recordversion",
            index=models.Index(
                condition=models.Q(("deleted", False), ("valid_to__isnull", True), ("h2__isnull", False)),
                fields=["h2", "register"],
                name="version_h2",
            ),
        ),
        migrations.AddIndex(
            model_name="recordversion",
            index=models.Index(
                condition=models.Q(("deleted", False), ("valid_to__isnull", True), ("h3__isnull", False)),
                fields=["h3", "register"],
                name="version_h3",
            ),
        ),
    ]
