"""Paused queues: a table of its own."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('visualizations', '0012_render_finished'),
    ]

    operations = [
        migrations.CreateModel(
            name='QueuePause',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('environment', models.CharField(blank=True, max_length=50, unique=True)),
                ('reason', models.CharField(max_length=200)),
                ('paused_by', models.CharField(blank=True, max_length=254)),
                ('paused_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                'ordering': ['environment'],
            },
        ),
    ]
