"""Tells open pages that a render changed. Best effort: the row is the truth, a lost event costs one poll."""

from __future__ import annotations

import json
import logging

import django_rq
from redis.exceptions import RedisError

from apps.visualizations.models import Render

CHANNEL = "vizportal:render"
logger = logging.getLogger(__name__)


def publish(render: Render) -> bool:
    """Publishes `{"id", "visualization", "state", "cell", "cells"}` on CHANNEL.

    Returns:
        False where the queue server does not answer; the caller goes on all the same.
    """
    payload = {
        "id": str(render.id),
        "visualization": str(render.visualization_id),
        "state": str(render.state),
        "cell": render.cell,
        "cells": render.cells,
    }
    try:
        django_rq.get_connection("render-base").publish(CHANNEL, json.dumps(payload))
    except (RedisError, OSError) as error:
        logger.info("render %s: no event sent: %s", render.id, error)
        return False
    return True
