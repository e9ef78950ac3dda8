"""Indexes of a table that may be large: added without locking it."""

from django.db import migrations, models

from vizportal.live_migrations import AddIndexLive


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('visualizations', '0007_recipes'),
    ]

    operations = [
        AddIndexLive(
            model_name='visualization',
            index=models.Index(fields=['recipe', 'run_created_at'], name='visualization_series'),
        ),
        AddIndexLive(
            model_name='visualization',
            index=models.Index(condition=models.Q(('latest__isnull', False), ('recipe', None), models.Q(('run_id', ''), _negated=True)), fields=['created_at'], name='visualization_no_recipe'),
        ),
    ]
