"""Indexes of a table that may be large: added without locking it."""

from django.db import migrations, models

from vizportal.live_migrations import AddIndexLive


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('visualizations', '0009_gallery'),
    ]

    operations = [
        AddIndexLive(
            model_name='visualization',
            index=models.Index(condition=models.Q(('outcome', 'succeeded'), _negated=True), fields=['outcome', '-created_at'], name='visualization_outcome'),
        ),
        AddIndexLive(
            model_name='visualization',
            index=models.Index(fields=['pipeline_name', '-created_at'], name='visualization_pipeline'),
        ),
        AddIndexLive(
            model_name='visualization',
            index=models.Index(fields=['owner', '-created_at'], name='visualization_owner'),
        ),
        AddIndexLive(
            model_name='visualization',
            index=models.Index(fields=['title'], name='visualization_title'),
        ),
        AddIndexLive(
            model_name='visualization',
            index=models.Index(condition=models.Q(('is_pinned', True)), fields=['-created_at'], name='visualization_pinned'),
        ),
        AddIndexLive(
            model_name='visualization',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='visualization_deleted'),
        ),
        AddIndexLive(
            model_name='visualization',
            index=models.Index(condition=models.Q(('tags', ''), _negated=True), fields=['-created_at'], name='visualization_tagged'),
        ),
        AddIndexLive(
            model_name='visualization',
            index=models.Index(condition=models.Q(('text', '')), fields=['created_at'], name='visualization_no_text'),
        ),
        AddIndexLive(
            model_name='visualization',
            index=models.Index(condition=models.Q(('superseded_by__isnull', False)), fields=['superseded_by'], name='visualization_superseded'),
        ),
    ]
