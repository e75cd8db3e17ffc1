"""Second factors, places where one is signed in, tallies of what is limited."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import jiaoheng.bureau.core.models.fields


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0101_phone_sealed'),
    ]

    operations = [
        migrations.CreateModel(
            name='SecondFactor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('secret', jiaoheng.bureau.core.models.fields.SealedTextField(place='core/second-factor')),
                ('created_at', models.DateTimeField()),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('last_step', models.BigIntegerField(default=-1)),
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='second_factor', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '二次验证',
                'verbose_name_plural': '二次验证',
            },
        ),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('window', models.BigIntegerField()),
                ('count', models.PositiveIntegerField(default=0)),
            ],
            options={
                'verbose_name': '次数',
                'verbose_name_plural': '次数',
                'constraints': [models.UniqueConstraint(fields=('name', 'window'), name='tally_once')],
            },
        ),
        migrations.CreateModel(
            name='RecoveryCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hash', models.CharField(max_length=64)),
                ('used_at', models.DateTimeField(blank=True, null=True)),
                ('factor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='core.secondfactor')),
            ],
            options={
                'verbose_name': '恢复码',
                'verbose_name_plural': '恢复码',
                'constraints': [models.UniqueConstraint(fields=('factor', 'hash'), name='recovery_code_once')],
            },
        ),
        migrations.CreateModel(
            name='SignedIn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('device', models.CharField(max_length=60, verbose_name='设备')),
                ('address', models.CharField(max_length=45, verbose_name='地址')),
                ('began_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(verbose_name='最近使用')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signed_in', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '登录',
                'verbose_name_plural': '登录',
                'indexes': [models.Index(fields=['account', 'used_at'], name='core_signed_account_4d8ba7_idx')],
            },
        ),
    ]
