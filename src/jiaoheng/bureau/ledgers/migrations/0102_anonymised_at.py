"""When a record's term of keeping was over."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """A moment beside the deletion's."""

    dependencies = [("ledgers", "0101_hash_columns")]
    operations = [migrations.AddField("record", "anonymised_at", models.DateTimeField(null=True))]
