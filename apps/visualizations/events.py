"""Notifies open pages of changes to renders. Best effort: the row is authoritative, a lost event costs one poll."""

from __future__ import annotations

import functools
import json
import logging
from typing import Any

from django.conf import settings
from django_rq.connection_utils import get_redis_connection
from redis.exceptions import RedisError

from apps.visualizations.models import Render
from apps.visualizations.render_metrics import render_count
from apps.visualizations.states import ACTIVE_STATES

CHANNEL = "vizportal:render"
# For clients that wait for an end: carries only the render's id, so that progress does not wake them.
ENDED_CHANNEL = "vizportal:render:ended"
logger = logging.getLogger(__name__)


@functools.lru_cache(maxsize=8)
def _connection(url: str) -> Any:
    return get_redis_connection({"URL": url})


def connection_get(queue_name: str = "render-base") -> Any:
    """Returns this process's connection to the queue server; a new one for each event would cost two round trips."""
    return _connection(settings.RQ_QUEUES[queue_name]["URL"])


def message(render: Render) -> str:
    """Returns the payload for CHANNEL: `{"id", "visualization", "state", "cell", "cells"}` as JSON."""
    payload = {
        "id": str(render.id),
        "visualization": str(render.visualization_id),
        "state": str(render.state),
        "cell": render.cell,
        "cells": render.cells,
    }
    return json.dumps(payload)


def publish(render: Render, *, is_end: bool = False) -> bool:
    """Publishes a render's state on CHANNEL, and its end also on ENDED_CHANNEL.

    Args:
        is_end: the caller has just written the end, so it is also counted in the metrics, in the same round trip. False
            if the caller only found the render ended.

    Returns:
        False if the queue server does not answer; callers continue regardless.
    """
    try:
        if render.state in ACTIVE_STATES:
            connection_get().publish(CHANNEL, message(render))
        else:
            with connection_get().pipeline(transaction=False) as pipe:
                pipe.publish(ENDED_CHANNEL, str(render.id))
                pipe.publish(CHANNEL, message(render))
                if is_end:
                    render_count(pipe, render)
                pipe.execute()
    except (RedisError, OSError) as error:
        logger.info("render %s: no event sent: %s", render.id, error)
        return False
    return True
