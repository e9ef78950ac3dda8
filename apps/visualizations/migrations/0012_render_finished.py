"""What ended lately, for alerts: an index of a table that may be large, added without locking it."""

from django.db import migrations, models

from vizportal.live_migrations import AddIndexLive


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('visualizations', '0011_source_version'),
    ]

    operations = [
        AddIndexLive(
            model_name='render',
            index=models.Index(condition=models.Q(('finished_at__isnull', False)), fields=['finished_at'], name='render_finished'),
        ),
    ]
