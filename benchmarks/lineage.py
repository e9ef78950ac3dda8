"""Measures reading a run's lineage from a real ML Metadata store, over both transports, and the store's own share.

Run it with `python -m benchmarks.lineage [steps] [artifacts a step]`.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_REPETITIONS = 7


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vizportal.settings")
    os.environ["VIZPORTAL_DATA_DIR"] = tempfile.mkdtemp(prefix="vizportal-bench-")
    import django

    django.setup()
    from django.conf import settings

    from tests.runs.real_store import running_store

    steps, each = (int(sys.argv[1]) if len(sys.argv) > 1 else 500), (int(sys.argv[2]) if len(sys.argv) > 2 else 8)
    with running_store(Path(settings.VIZPORTAL_ENVIRONMENTS_DIR)) as store:
        measure(store, steps, each)


def measure(store: Any, steps: int, each: int) -> None:
    from apps.runs.entities import Endpoint, Run, State
    from apps.runs.gateway import lineage, lineage_transport
    from apps.runs.gateway.connection import Connection
    from apps.runs.gateway.lineage_tree import build_steps
    from tests.runs.written_runs import Writer

    written = Writer("bench", 5, steps, artifacts_each=each).write()
    store.write(written.rows)
    run = Run(id="bench", name="bench", state=State(written.state.lower()), spec=written.spec)
    rows = {name: len(listed) for name, listed in written.rows.items() if isinstance(listed, list)}
    print(f"{len(written.expected)} steps, {rows}")
    for name, address in (("gRPC-Web", ""), ("native gRPC", store.grpc_address)):
        connection = Connection(
            endpoint=Endpoint(key="default", host=store.web_url), metadata_address=address, timeout_s=30
        )
        calls: list[float] = []
        original = lineage_transport.call

        def timed(*args: Any, calls: list[float] = calls, original: Any = original, **fields: Any) -> Any:
            began = time.perf_counter()
            answer = original(*args, **fields)
            calls.append(time.perf_counter() - began)
            return answer

        lineage.call = timed
        took = []
        for _ in range(_REPETITIONS):
            calls.clear()
            began = time.perf_counter()
            found = build_steps(run, lineage.read_executions(connection, "bench"))
            took.append(time.perf_counter() - began)
        lineage.call = original
        print(
            f"{name:12} median {statistics.median(took) * 1000:.0f} ms, worst {max(took) * 1000:.0f} ms, "
            f"{len(calls)} calls (their times added up: {sum(calls) * 1000:.0f} ms), {len(found)} steps"
        )


if __name__ == "__main__":
    main()
