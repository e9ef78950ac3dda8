"""docs/operations.md: commands that pause and resume queues."""

import shlex

import pytest
from django.core.management import call_command

from apps.visualizations.models import QueuePause
from tests.docs.collecting import executes


@pytest.mark.django_db
@executes("docs/operations.md: manage.py queue list")
def test_documented_commands_pause_and_resume_queues(block, capsys):
    for line in block.splitlines():
        command, *options = shlex.split(line, comments=True)[1:]
        call_command(command, *options)
    said = capsys.readouterr().out
    assert "Nothing runs any more." in said
    assert "Resumed." in said
    assert [each.environment for each in QueuePause.objects.all()] == ["tfx"]
