"""The benchmark program checks every result that it counts. Its times are not tested here."""

import base64
import gzip
import json
import os
import struct
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks import processes, report
from benchmarks.cases import WrongPageError, area_under_curve, make_cases
from benchmarks.measure import measure_levels, measure_turns
from benchmarks.servers import Server, ServerError, other_server
from vizportal.settings import BASE_DIR


def picture(width, height, size):
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height)
    return f'<img src="data:image/png;base64,{base64.b64encode(header.ljust(size, b".")).decode()}">'


def curve(*values):
    packed = base64.b64encode(gzip.compress(struct.pack(f"<{len(values)}d", *values))).decode()
    return f'["tpr",{{"type":"ndarray","array":{{"type":"bytes","data":"{packed}"}}}}]'


@pytest.mark.parametrize(
    "page", ["", "<html>AUC 0.5</html>", picture(8, 5, 9000), picture(800, 450, 3000), curve(0.0, 0.5, 1.0)]
)
def test_every_case_refuses_a_page_without_its_data(tmp_path, page):
    cases = make_cases(tmp_path)
    assert len(cases) == 6
    for case in cases:
        for of_other in (False, True):
            with pytest.raises(WrongPageError, match=case.name.split(",")[0].split(" (")[0]):
                case.check_page(page, of_other=of_other)


def test_area_under_curve_and_percentile():
    assert area_under_curve([0, 0.5, 1], [0, 1, 1]) == pytest.approx(0.75)
    assert report.percentile([3, 1, 2], 0.95) == 3
    assert report.percentile(range(1, 101), 0.95) == 95
    assert report.percentile([7], 0.5) == 7


class Imitation(BaseHTTPRequestHandler):
    """Speaks the protocol and responds to every form with `page`."""

    page = b"42 is what"
    status = 200

    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Server-Timing", "submit;dur=1.50, wait;dur=2")
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, *_args):
        pass


@pytest.fixture
def imitation():
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Imitation,), {})) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_both_servers_get_the_same_cases_alternately(tmp_path, imitation):
    url = f"http://127.0.0.1:{imitation.server_port}"
    servers = [Server(name="portal", url=url, pid=os.getpid()), Server(name="other", url=url, pid=None, is_other=True)]
    cases = make_cases(tmp_path)[:1]
    found = measure_turns(servers, cases, None, repetitions=2, warm_ups=1, say=lambda _line: None)
    levels = measure_levels(servers, cases, levels=(1, 2), by_case=2, each=2, say=lambda _line: None)
    results = {
        "machine": report.machine(),
        "first_ms": {"portal": 1.0},
        "renders": report.render_rows(found),
        "levels": report.level_rows(levels),
        "soak": {},
        "stuck": {},
    }
    text = report.markdown(json.loads(json.dumps(results)))
    assert [(row["way"], row["checked"]) for row in results["renders"]] == [("portal", 2), ("other", 2)]
    assert results["renders"][1]["cpu_ms"] is None
    assert [row["checked"] for row in results["levels"]] == [2, 2, 4, 4, 8, 4]
    assert "*other / portal*" in text


def test_wrong_page_or_refused_request_ends_the_measurement(tmp_path, imitation):
    server = Server(name="portal", url=f"http://127.0.0.1:{imitation.server_port}", pid=None)
    cases = make_cases(tmp_path)[:1]
    imitation.RequestHandlerClass.page = b"nothing of it"
    with pytest.raises(WrongPageError):
        measure_turns([server], cases, None, repetitions=1, warm_ups=0, say=lambda _line: None)
    imitation.RequestHandlerClass.status = 400
    with pytest.raises(ServerError, match="nothing of it"):
        measure_levels([server], cases, levels=(1,), by_case=1, each=1, say=lambda _line: None)


def test_server_that_does_not_start_is_reported(tmp_path):
    with pytest.raises(ServerError), other_server("http://127.0.0.1:9", None, "", tmp_path / "log"):
        pass
    command = "sh -c 'echo no luck; exit 1'"
    with pytest.raises(ServerError, match="no luck"), other_server("http://127.0.0.1:9", None, command, tmp_path / "l"):
        pass


def test_cpu_time_includes_running_and_ended_children():
    spin = "import time\nuntil = time.process_time() + 0.3\nwhile time.process_time() < until: pass\n"
    before = processes.cpu_s(os.getpid())
    subprocess.run([sys.executable, "-c", spin], check=True)
    collected = processes.cpu_s(os.getpid())
    assert collected - before >= 0.28
    with subprocess.Popen([sys.executable, "-c", spin + "input()"], stdin=subprocess.PIPE) as child:
        while processes.cpu_s(child.pid) < 0.28:
            pass
        assert child.pid in processes.tree(os.getpid())
        assert processes.cpu_s(os.getpid()) - collected >= 0.28
        assert processes.holdings(child.pid)["render host"].processes == 1


@pytest.mark.slow
@pytest.mark.kernel
def test_every_render_of_a_quick_run_is_checked(tmp_path):
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--repetitions", "1", "--soak", "4", "--stuck"]
    ended = subprocess.run(
        [*command, "--json", figures], cwd=BASE_DIR, capture_output=True, text=True, timeout=280, check=False
    )
    assert ended.returncode == 0, ended.stderr
    results = json.loads(figures.read_text())
    assert {(row["case"], row["way"], row["checked"]) for row in results["renders"]} == {
        (case.name, way, 1) for case in make_cases(tmp_path) for way in ("portal", "cold nbclient")
    }
    assert results["soak"]["renders"] == 4
    assert results["soak"]["after"]["roles"]["kfp service"]["processes"] == 1
    assert results["stuck"]["beside_median_ms"] > 0
    assert all(row["phases_ms"]["client total"] > 0 for row in results["renders"] if row["way"] == "portal")
