"""Fair turns: an index of a table that may be large, added without locking it."""

from django.db import migrations, models

from vizportal.live_migrations import AddIndexLive


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('visualizations', '0013_queue_pause'),
    ]

    operations = [
        AddIndexLive(
            model_name='render',
            index=models.Index(condition=models.Q(('started_at__isnull', False)), fields=['requested_by', 'started_at'], name='render_turns'),
        ),
    ]
