"""The benchmark program: that what it counts was checked. Its times are nobody's business here."""

import base64
import json
import struct
import subprocess
import sys

import pytest

from benchmarks import report
from benchmarks.cases import WrongPageError, area_under_curve, make_cases
from benchmarks.renders import WAYS, measure_renders
from vizportal.settings import BASE_DIR


def picture(width, height, size):
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height)
    return f'<img src="data:image/png;base64,{base64.b64encode(header.ljust(size, b".")).decode()}">'


@pytest.mark.parametrize("page", ["", "<html>AUC 0.5</html>", picture(8, 5, 9000), picture(800, 450, 3000)])
def test_no_case_takes_a_page_without_its_data(tmp_path, page):
    cases = make_cases(tmp_path)
    assert len(cases) == 5
    for case in cases:
        with pytest.raises(WrongPageError):
            case.check(page)


def test_the_area_is_the_share_of_ordered_pairs():
    truth, scores = [False, True, False, True, True], [0.1, 0.1, 0.4, 0.35, 0.8]
    rows = list(zip(scores, truth, strict=True))
    pairs = [(t, f) for t, is_t in rows if is_t for f, is_f in rows if not is_f]
    share = sum(1.0 if t > f else 0.5 if t == f else 0.0 for t, f in pairs) / len(pairs)
    assert area_under_curve(truth, scores) == pytest.approx(share)


def test_percentiles_are_measured_values():
    assert report.percentile([3, 1, 2], 0.95) == 3
    assert report.percentile(range(1, 101), 0.95) == 95
    assert report.percentile([7], 0.5) == 7


def test_a_wrong_page_ends_the_measurement(tmp_path, monkeypatch):
    monkeypatch.setitem(WAYS, "portal", lambda *_: "<html>nothing of it</html>")
    monkeypatch.setitem(WAYS, "cold nbclient", lambda *_: "")
    with pytest.raises(WrongPageError):
        measure_renders(make_cases(tmp_path), tmp_path, repetitions=1, warm_ups=0, say=lambda _: None)


@pytest.mark.slow
@pytest.mark.kernel
def test_every_render_of_a_quick_run_was_checked(tmp_path):
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "renders", "--json", figures]
    ended = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, timeout=400, check=False)
    assert ended.returncode == 0, ended.stderr
    rows = json.loads(figures.read_text())["renders"]
    assert len({(row["case"], row["way"]) for row in rows}) == 10
    assert all(row["checked"] == 2 for row in rows)
    assert all(f"| {row['case']} | {row['way']} |" in ended.stdout for row in rows)
