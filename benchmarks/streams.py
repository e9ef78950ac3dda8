"""`python -m benchmarks.streams`: measures many browsers with live updates on one web process; prints Markdown."""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from benchmarks import report
from benchmarks.house import House, running_house, start_queue
from benchmarks.stream_people import Browsers, Publisher, make_people

_SAMPLE_EVERY_S: Final = 10
# Sign-ins, caches and the allocator settle first; memory must be flat afterwards.
_WARM_UP_SHARE: Final = 0.1
_BURST: Final = 100
_OPEN_WITHIN_S: Final = 300
_QUEUE_AWAY_S: Final = 5
_HELD: Final = {
    "rss_mb": "RSS MB",
    "pss_mb": "PSS MB",
    "threads": "threads",
    "files": "open files",
    "connections": "connections to the database",
}
_DELAYS: Final = {
    "common": "event of a render all watch, at each browser",
    "own": "event of one's own render, at its browser",
    "update": "the same, until its card was fetched",
    "poll": "a card fetched without an event",
}


def main() -> int:
    """Measures and prints."""
    options = _options()
    # Converted to an exit, so that everything it started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results: dict[str, Any] = {"machine": report.machine(), "browsers": options.browsers}
    with running_house() as house:
        people, own, common, page = make_people(options.browsers)
        _warm(house, page, people[0]["cookie"])
        reader = _Reader(house, page, people[0]["cookie"])
        with reader:
            _measure(house, reader, people, Publisher(own, common, options.rate, options.others), options, results)
    print(_markdown(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def _measure(
    house: House,
    reader: _Reader,
    people: list[dict[str, str]],
    publisher: Publisher,
    options: argparse.Namespace,
    results: dict[str, Any],
) -> None:
    results["before"] = house.sample()
    browsers = Browsers(house, people)
    try:
        results["opening"] = _opening(house, reader, browsers)
        with publisher:
            results["steady"] = _steady(house, reader, browsers, options.minutes * 60)
        results["burst"] = _burst(browsers, publisher)
        results["queue_away"] = _queue_away(house, browsers)
        _say("the web process is killed and started again")
        house.kill_web()
        house.start_web()
        results["restart"] = _opening(house, reader, browsers)
    finally:
        browsers.stop()


class _Reader:
    """A person who opens a page each second, independently of the others."""

    def __init__(self, house: House, page: str, cookie: str) -> None:
        self._ask = lambda: house.ask(page, cookie)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._times: list[float] = []
        self._failed = 0

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_exception: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._is_over.wait(1):
            took = self._ask()
            if took is None:
                self._failed += 1
            else:
                self._times.append(took)

    def report(self) -> dict[str, float]:
        """Returns the times since the last report, in milliseconds, and the number of failed pages."""
        times, self._times = self._times or [0.0], []
        failed, self._failed = self._failed, 0
        shares = {"p50": 0.5, "p95": 0.95, "worst": 1.0}
        return {key: round(report.percentile(times, share), 1) for key, share in shares.items()} | {"failed": failed}


def _warm(house: House, page: str, cookie: str) -> None:
    for _ in range(5):
        if house.ask(page, cookie) is None:
            raise SystemExit(f"benchmarks: the page {page} is not answered")


def _opening(house: House, reader: _Reader, browsers: Browsers) -> dict[str, Any]:
    """Waits until every browser's stream is open; returns how long it took, its cost, and the times of pages."""
    reader.report()
    began, before = time.monotonic(), house.sample()
    most = before["threads"]
    while (seen := browsers.report())["open"] < browsers.count:
        most = max(most, house.sample()["threads"])
        if time.monotonic() - began > _OPEN_WITHIN_S:
            raise SystemExit(f"benchmarks: {seen['open']} of {browsers.count} streams are open, {browsers.total()}")
        time.sleep(0.1)
    took_s = time.monotonic() - began
    after = house.sample()
    _say(f"{browsers.count} streams open after {took_s:.1f} s")
    return {
        "seconds": round(took_s, 1),
        "cpu_s": round(after["cpu_s"] - before["cpu_s"], 2),
        "most_threads": most,
        "pages_ms": reader.report(),
        "counts": browsers.total()["counts"],
        "after": after,
    }


def _steady(house: House, reader: _Reader, browsers: Browsers, seconds: float) -> dict[str, Any]:
    """Receives events for `seconds`; returns delays and the web process's resources meanwhile."""
    browsers.total()
    reader.report()
    began, samples, reports = time.monotonic(), [house.sample() | {"at_s": 0.0}], []
    while (left := began + seconds - time.monotonic()) > 0:
        time.sleep(min(_SAMPLE_EVERY_S, left))
        samples.append(house.sample() | {"at_s": time.monotonic() - began})
        reports.append(browsers.report())
        _say(f"{json.dumps(reports[-1])} {json.dumps({name: round(each, 1) for name, each in samples[-1].items()})}")
    settled = samples[int(len(samples) * _WARM_UP_SHARE) :]
    half = len(settled) // 2
    took_s = samples[-1]["at_s"]
    return {
        "seconds": round(took_s),
        "cpu_share": round((samples[-1]["cpu_s"] - samples[0]["cpu_s"]) / took_s, 3),
        "halves": {name: [_mean(settled[:half], name), _mean(settled[half:], name)] for name in _HELD},
        "pages_ms": reader.report(),
        "samples": samples,
        "reports": reports,
    } | browsers.total()


def _burst(browsers: Browsers, publisher: Publisher) -> dict[str, Any]:
    """Publishes many events as fast as one process can."""
    browsers.total()
    began = time.monotonic()
    for _ in range(_BURST):
        publisher.publish_one()
    took_s = time.monotonic() - began
    found = browsers.total_when(lambda _seen, measured: measured["update"] >= _BURST // 2, 20)
    return {"events": _BURST, "published_in_s": round(took_s, 2)} | found


def _queue_away(house: House, browsers: Browsers) -> dict[str, Any]:
    """Stops Valkey for some seconds; returns how long after its return all browsers had been told, and had looked."""
    already = browsers.total()["told"]
    house.queue.stop()
    time.sleep(_QUEUE_AWAY_S)  # the fault itself
    start_queue(house)
    began = time.monotonic()
    browsers.total_when(lambda seen, _measured: seen["told"] - already >= browsers.count, 20)
    told_after_s = time.monotonic() - began
    found = browsers.total_when(lambda _seen, measured: measured["look"] >= browsers.count, 20)
    return (
        {
            "told_after_s": round(told_after_s, 1),
            "looked_after_s": round(time.monotonic() - began, 1),
        }
        | found
        | {"told": found["told"] - already}
    )


def _mean(samples: list[dict[str, float]], name: str) -> float:
    return round(statistics.fmean(each[name] for each in samples), 2) if samples else 0.0


def _markdown(results: dict[str, Any]) -> str:
    facts, steady, burst, away = (results[name] for name in ("machine", "steady", "burst", "queue_away"))
    first = f"{results['browsers']} browsers on one web process; {facts['cores']} cores, "
    first += f"load {facts['load_before']} before the start, Python {facts['python']}"
    last = f"CPU of the web process {steady['cpu_share']:.0%} of a core; a page p95 {steady['pages_ms']['p95']} ms; "
    last += f"burst: {burst['events']} events in {burst['published_in_s']} s; "
    last += f"Valkey back after {_QUEUE_AWAY_S} s away: {away['told']} told after {away['told_after_s']} s, "
    last += f"all looked after {away['looked_after_s']} s; counts {steady['counts']}"
    tables = (_opening_table(results), _delay_table(results), _holding_table(results))
    return "\n".join([first, "", *(line for each in tables for line in [*each, ""]), last])


def _opening_table(results: dict[str, Any]) -> list[str]:
    header = [
        "",
        "all open after, s",
        "CPU of it, s",
        "most threads",
        "threads after",
        "a page meanwhile, p50 / worst ms",
    ]
    rows = []
    for name, words in (("opening", "all at once"), ("restart", "after the web process was killed")):
        each = results[name]
        pages = f"{each['pages_ms']['p50']} / {each['pages_ms']['worst']}, {each['pages_ms']['failed']} failed"
        threads = [f"{each['most_threads']:.0f}", f"{each['after']['threads']:.0f}"]
        rows.append([words, each["seconds"], each["cpu_s"], *threads, pages])
    return report.table(header, rows)


def _delay_table(results: dict[str, Any]) -> list[str]:
    figures = ("count", "p50", "p95", "p99", "worst")
    rows = [
        [f"{phase}: {words}", *(f"{results[phase]['delays'][name][key]:,}" for key in figures)]
        for phase in ("steady", "burst")
        for name, words in _DELAYS.items()
        if name in results[phase]["delays"]
    ]
    return report.table(["ms", *figures], rows)


def _holding_table(results: dict[str, Any]) -> list[str]:
    steady = results["steady"]
    rows = []
    for name, words in _HELD.items():
        first, second = steady["halves"][name]
        figures = [f"{results['before'][name]:.1f}", f"{first:.1f}", f"{second:.1f}", _change(first, second)]
        rows.append([words, *figures])
    return report.table([f"over {steady['seconds']} s", "before", "first half", "second half", "change"], rows)


def _change(first: float, second: float) -> str:
    return f"{second / first - 1:+.1%}" if first else ""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams", description=__doc__)
    parser.add_argument("--browsers", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=2, help="events a second of renders that somebody watches")
    parser.add_argument("--others", type=float, default=20, help="events a second of renders that nobody watches")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
