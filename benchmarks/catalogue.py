"""Measures the catalogue's tables: ten million rows, 100,000 rows compared with Kubeflow's way, and Kubeflow's files.

Run it with `python -m benchmarks.catalogue [--rows N] [--against URL] [--kubeflow-types DIR]`. Each figure comes from
renders in a warm host, in the sandbox, as in the portal's worker; every page is checked for its data.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from packages.vizkit.tests.examples_tfx import KUBEFLOW_DATA

_ROOT: Final = Path(__file__).resolve().parents[1]
_SMALL_ROWS: Final = 100_000
_MAKE: Final = """
import sys
import numpy as np, polars as pl
path, total, fractions = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "fractions"
dice = np.random.default_rng(7)
cities = np.array(["Berlin", "Lagos", "São Paulo", "Kyoto", "New York, NY"])
with open(path, "wb") as file:
    for start in range(0, total, 500_000):
        n = min(500_000, total - start)
        ids = pl.Series(np.arange(start, start + n))
        rows = pl.DataFrame({
            "id": ids, "name": ids.cast(pl.String).str.zfill(9).str.replace("^", "customer-"),
            "city": cities[dice.integers(0, 5, n)], "amount": dice.gamma(2, 50, n).round(4),
            "score": dice.normal(0, 1, n), "when": 1_700_000_000 + dice.integers(0, 10**7, n),
            "note": np.where(dice.random(n) < 0.1, "", "ordinary delivery"), "kind": dice.integers(0, 9, n),
        })
        # Kubeflow's table fails on any column of fractions, with status 200.
        rows = rows if fractions else rows.drop("amount", "score")
        rows.write_csv(file, include_header=start == 0)
"""
# Equivalent to Kubeflow's type for a table, with this environment's libraries.
_PANDAS_ITABLES: Final = """
import itables.options as opts
import pandas as pd
from itables import show

opts.maxBytes = 0
show(pd.read_csv(source))
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catalogue", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the large file (a hundred bytes each)")
    parser.add_argument("--repetitions", type=int, default=5, help="renders of the small file by each way")
    parser.add_argument(
        "--against", default="", metavar="URL", help="Kubeflow's visualization server, to draw the same file"
    )
    parser.add_argument(
        "--kubeflow-types", type=Path, metavar="DIR", help="its folder `types`: each file has to succeed"
    )
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vizportal.settings")
    with tempfile.TemporaryDirectory(prefix="vizportal-bench-") as name:
        directory = Path(name).resolve()
        os.environ["VIZPORTAL_DATA_DIR"] = str(directory / "data")
        import django

        django.setup()
        return _measure(directory, options)


def _measure(directory: Path, options: argparse.Namespace) -> int:
    built = Path(os.environ.get("VIZPORTAL_ENVIRONMENTS_DIR", _ROOT / ".environments")).absolute()
    with _host("base", built, directory) as base:
        large, small = directory / "large.csv", directory / "small.csv"
        for path, rows, kind in ((small, _SMALL_ROWS, "whole"), (large, options.rows, "fractions")):
            subprocess.run([base.spec.interpreter, "-c", _MAKE, path, str(rows), kind], check=True)
        _warm(base, directory, small)
        _large(base, directory, large, options.rows)
        _small(base, directory, small, options)
        large.unlink()
        return _kubeflow_types(base, built, directory, options.kubeflow_types) if options.kubeflow_types else 0


@contextmanager
def _host(key: str, built: Path, directory: Path) -> Iterator[Any]:
    import renderer
    import vizkit

    info = renderer.Environments(definitions_dir=_ROOT / "environments", built_dir=built).get(key)
    if info.interpreter is None:
        sys.exit(f"The environment {key} is not built: manage.py environments build {key}")
    spec = renderer.HostSpec(
        environment=key,
        interpreter=info.interpreter,
        run_dir=directory / f"host-{key}",
        work_root=directory,
        preload=info.preload,
        toolkits=(vizkit.TOOLKIT_DIR,),
        idle_s=1,
    )
    host = renderer.RenderHost(spec)
    host.status()
    try:
        yield host
    finally:
        host.leave()


def _render(
    host: Any, directory: Path, code: str, source: Path | str, variables: dict[str, Any]
) -> tuple[float, Any, str]:
    """Returns seconds, outcome and page of one render that has to succeed."""
    import renderer

    place = Path(tempfile.mkdtemp(prefix="render-", dir=directory))
    spec = renderer.RenderSpec(code=code, arguments=variables, is_custom=True, source_uri=str(source))
    job = renderer.RenderJob(spec=spec, source=str(source))
    began = time.perf_counter()
    outcome = renderer.render(job, host=host, directory=place, on_progress=lambda _: None, is_cancelled=lambda: False)
    seconds = time.perf_counter() - began
    with outcome:
        if outcome.html is None:
            raise SystemExit(f"{outcome.state} ({outcome.reason}): {outcome.message}\n{outcome.traceback[-2000:]}")
        return seconds, outcome, outcome.html.read().decode()


def _table(**given: Any) -> tuple[str, dict[str, Any]]:
    from vizkit.types import arguments, registry

    kind = registry.get("table")
    return kind.code, arguments.clean(kind.schema, given)


def _warm(host: Any, directory: Path, small: Path) -> None:
    code, values = _table()
    _render(host, directory, code, small, values)
    _render(host, directory, _PANDAS_ITABLES, small, {})


def _large(host: Any, directory: Path, large: Path, rows: int) -> None:
    code, values = _table()
    seconds, outcome, page = _render(host, directory, code, large, values)
    payload = json.loads(page.partition('<script type="application/json">')[2].partition("</script>")[0])
    ids = next(each for each in payload["summary"] if each["name"] == "id")
    assert payload["total"] == rows, "the page's number of rows is wrong"
    assert (ids["low"], ids["high"], ids["mean"]) == ("0", str(rows - 1), (rows - 1) / 2), (
        "the page's figures are wrong"
    )
    peak_mb = (outcome.peak_memory_bytes or 0) / 1e6
    print(
        f"table of {rows:,} rows ({large.stat().st_size / 1e6:,.0f} MB of CSV): {seconds:.1f} s, "
        f"peak memory {peak_mb:,.0f} MB, page {len(page.encode()) / 1e6:.2f} MB"
    )


def _small(host: Any, directory: Path, small: Path, options: argparse.Namespace) -> None:
    marks = ("customer-000000000", "customer-000050007", f"customer-{_SMALL_ROWS - 1:09}")
    first = _table()
    ways = {
        "table, first 10,000 rows embedded": lambda: _timed(host, directory, *first, small, marks[:1]),
        "table, all rows embedded": lambda: _timed(host, directory, *_table(max_rows=_SMALL_ROWS), small, marks),
        "pandas and itables, here": lambda: _timed(host, directory, _PANDAS_ITABLES, {}, small, marks),
    }
    if options.against:
        ways["Kubeflow's server"] = lambda: _other(options.against, small)
    print(f"\n{_SMALL_ROWS:,} rows ({small.stat().st_size / 1e6:.1f} MB of CSV), median of {options.repetitions}:")
    found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in ways}
    for _ in range(options.repetitions):
        for name, way in ways.items():
            found[name].append(way())
    for name, taken in found.items():
        seconds, peak, size = (statistics.median(values) for values in zip(*taken, strict=True))
        memory = f", peak memory {peak / 1e6:,.0f} MB" if peak else ""
        print(f"  {name:34} {seconds * 1000:7,.0f} ms{memory}, page {size / 1e6:.2f} MB")


def _timed(
    host: Any, directory: Path, code: str, values: dict[str, Any], source: Path, marks: tuple[str, ...]
) -> tuple[float, float, int]:
    seconds, outcome, page = _render(host, directory, code, source, values)
    missing = [mark for mark in marks if mark not in page]
    assert not missing, f"the page lacks {missing}"
    return seconds, float(outcome.peak_memory_bytes or 0), len(page.encode())


def _other(url: str, source: Path) -> tuple[float, float, int]:
    """Calls Kubeflow's visualization server, which answers 200 even if its table failed."""
    form = urllib.parse.urlencode({"type": "table", "source": str(source), "arguments": "{}"}).encode()
    began = time.perf_counter()
    with urllib.request.urlopen(url, form, timeout=300) as response:
        page = response.read()
    seconds = time.perf_counter() - began
    assert f"customer-{_SMALL_ROWS - 1:09}".encode() in page, "Kubeflow's server answered without the table's rows"
    return seconds, 0.0, len(page)


def _kubeflow_types(base: Any, built: Path, directory: Path, folder: Path) -> int:
    """Runs Kubeflow's own files, unchanged; returns 1 if one fails."""
    import renderer
    from vizkit.types import registry

    print("\nKubeflow's own files:")
    failed = 0
    with _host("tfx", built, directory) as tfx:
        made = _kubeflow_data(directory, tfx.spec.interpreter)
        for key, (source, variables) in made.items():
            kind = registry.get(key, [folder])
            if kind.path is None or kind.path.parent != folder:
                print(f"  {key:12} is not in {folder}")
                continue
            host = tfx if kind.environment == "tfx" else base
            spec = renderer.RenderSpec(code=kind.code, arguments=variables)
            job = renderer.RenderJob(spec=spec, source=str(source))
            place = Path(tempfile.mkdtemp(prefix="render-", dir=directory))
            began = time.perf_counter()
            with renderer.render(
                job, host=host, directory=place, on_progress=lambda _: None, is_cancelled=lambda: False
            ) as outcome:
                pass
            failed |= outcome.state != "succeeded"
            words = f": {outcome.message}" if outcome.message else ""
            print(f"  {key:12} {kind.environment:5} {outcome.state} in {time.perf_counter() - began:.1f} s{words}")
    return failed


def _kubeflow_data(directory: Path, interpreter: Path) -> dict[str, tuple[Path, dict[str, Any]]]:
    (directory / "roc.csv").write_text("0,0,1.9\n0.2,0.6,0.5\n1,1,0\n")
    (directory / "rows.csv").write_text("a,1.5\nb,2\n")
    done = subprocess.run(
        [interpreter, "-c", KUBEFLOW_DATA], cwd=directory, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return {
        "roc_curve": (directory / "roc.csv", {"is_generated": True}),
        "table": (directory / "rows.csv", {"headers": ["name", "amount"]}),
        "tfdv": (directory / "stats.tfrecord", {}),
        "tfma": (directory / "evaluation", {"slicing_column": "kind"}),
    }


if __name__ == "__main__":
    sys.exit(main())
