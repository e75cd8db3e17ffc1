"""A person's phone lies encrypted: the column takes the longer text. Existing ones are sealed by `jiaoheng keys rotate`."""

from __future__ import annotations

from django.db import migrations

from jiaoheng.bureau.core.models.fields import SealedTextField


class Migration(migrations.Migration):
    """Column type of the phone."""

    dependencies = [("core", "0201_api_token")]
    operations = [
        migrations.AlterField("account", "phone", SealedTextField(blank=True, place="core/phone", verbose_name="手机"))
    ]
