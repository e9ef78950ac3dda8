"""`python -m benchmarks.gallery [COUNT [FOLDER]]`: measures the gallery with many visualizations, in SQLite.

Writes COUNT (100,000) visualizations of 200 pipelines with a render and two key figures each, a tenth of them failed,
and requests every kind of page many times. Prints the median, p95, number of queries and compressed size of each.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

COUNT: Final = 100_000
TIMES: Final = 30
_BATCH: Final = 5_000
_TYPES: Final = ("roc_curve", "table", "confusion_matrix", "data_profile", "custom")
PAGES: Final = {
    "first": "",
    "page 40": "?page=40",
    "list": "?view=list",
    "frequent word": "?q=evaluator",
    "two words": "?q=evaluator+taxi-7",
    "rare word": "?q=needle",
    "no match": "?q=nosuchwordanywhere",
    "type": "?type=roc_curve",
    "pipeline": "?pipeline=taxi-7",
    "owner": "?owner=person-3",
    "tag": "?tag=rare",
    "without a result": "?state=failed",
    "all": "?state=all",
    "by name": "?sort=title",
    "by figure": "?type=roc_curve&sort=-figure:auc",
    "days": "?since=2026-03-01&until=2026-03-31",
    "favourites": "?favourites=1",
    "pinned": "?pinned=1",
}


def main() -> None:
    """Runs the benchmark."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    with contextlib.ExitStack() as stack:
        # A given folder is kept, and can be reused.
        folder = sys.argv[2] if len(sys.argv) > 2 else stack.enter_context(tempfile.TemporaryDirectory())
        os.environ["DJANGO_SETTINGS_MODULE"] = "vizportal.settings"
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/db.sqlite3"
        os.environ["VIZPORTAL_DATA_DIR"] = folder
        os.environ.setdefault("SECRET_KEY", uuid.uuid4().hex * 2)
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        began = time.monotonic()
        from django.contrib.auth import get_user_model

        user = get_user_model().objects.filter(username="person-0").first() or _fill(count)
        size_mb = Path(folder, "db.sqlite3").stat().st_size / 1e6
        sys.stdout.write(f"{count:,} visualizations in {time.monotonic() - began:.0f} s, {size_mb:.0f} MB\n")
        _measure(user)


def _fill(count: int) -> Any:
    from django.contrib.auth import get_user_model
    from django.db import transaction

    from apps.gallery.models import Favourite
    from apps.visualizations.models import Visualization

    users = get_user_model().objects.bulk_create(
        get_user_model()(username=f"person-{number}", is_superuser=number == 0) for number in range(40)
    )
    chance = random.Random(7)
    for first in range(0, count, _BATCH):
        with transaction.atomic():
            _write(range(first, min(first + _BATCH, count)), users, chance)
    some = Visualization.objects.order_by("id").values_list("id", flat=True)[:30]
    Favourite.objects.bulk_create(Favourite(user=users[0], visualization_id=each) for each in some)
    return users[0]


def _write(numbers: range, users: list[Any], chance: random.Random) -> None:
    from django.utils import timezone

    from apps.visualizations.models import Render, RenderFigure, Visualization
    from apps.visualizations.services.indexing import text_of

    rows, renders, figures = [], [], []
    for number in numbers:
        pipeline, key = f"taxi-{chance.randrange(200)}", chance.choice(_TYPES)
        state = "failed" if chance.random() < 0.1 else "succeeded"
        at = timezone.now() - timedelta(minutes=5 * number)
        row = Visualization(
            title=f"{key} of predictions {number}, {pipeline} run",
            type_key=key,
            endpoint_key="default",
            run_id=str(uuid.uuid4()),
            run_name=f"{pipeline} run {at:%Y-%m-%d %H:%M}",
            pipeline_name=pipeline,
            step_id="evaluator",
            step_name="evaluator",
            artifact_name="predictions",
            artifact_uri=f"minio://mlpipeline/v2/artifacts/{pipeline}/{uuid.uuid4()}/predictions.csv",
            owner=chance.choice(users),
            outcome=state,
            created_at=at,
            is_pinned=number % 20_000 == 17,
            tags="\nrare\n" if number % 5_000 == 3 else "\nchecked\n\nweekly\n" if number % 10 == 0 else "",
            notes="needle" if number % 40_000 == 9_999 else "",
        )
        row.text = text_of(row)
        render = Render(
            visualization=row,
            number=1,
            state=state,
            code="print(1)\n" * 40,
            type_version="1",
            environment="base",
            timeout_s=100,
            receipt=uuid.uuid4().hex,
            created_at=at,
            finished_at=at,
            html="x" if state == "succeeded" else "",
            log="line\n" * 40,
        )
        rows.append(row)
        renders.append(render)
        if state == "succeeded":
            figures += [
                RenderFigure(render=render, name=name, value=chance.random(), better="higher") for name in ("auc", "f1")
            ]
    for row, render in zip(rows, renders, strict=True):
        row.latest_id = render.id
    # The references in both directions are checked at the commit.
    Visualization.objects.bulk_create(rows)
    Render.objects.bulk_create(renders)
    RenderFigure.objects.bulk_create(figures)


def _measure(user: Any) -> None:
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    settings.ALLOWED_HOSTS = ["*"]
    client = Client()
    client.force_login(user)
    for name, query in PAGES.items():
        times, own = [], []
        for _ in range(TIMES):
            began, began_cpu = time.perf_counter(), time.process_time()
            response = client.get(f"/visualizations/{query}")
            times.append((time.perf_counter() - began) * 1000)
            own.append((time.process_time() - began_cpu) * 1000)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(f"/visualizations/{query}")
        p95, cpu_p95 = (statistics.quantiles(each, n=20)[-1] for each in (times, own))
        size_kb = len(gzip.compress(response.content)) / 1000
        sys.stdout.write(
            f"{name:18} {response.status_code}  median {statistics.median(times):6.1f} ms  p95 {p95:6.1f} ms  "
            f"CPU p95 {cpu_p95:5.1f} ms  {len(queries):2} queries  {size_kb:4.1f} kB\n"
        )


if __name__ == "__main__":
    main()
