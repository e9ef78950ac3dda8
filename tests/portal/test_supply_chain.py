"""Bills of materials, and known vulnerabilities of the packages in them."""

import datetime as dt
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from django.conf import settings

SCRIPTS = settings.BASE_DIR / "scripts"
TODAY = dt.date(2026, 11, 27)


@pytest.fixture
def advisories(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import advisories

    return advisories


def accept(path, **entry):
    lines = "".join(f"{key} = {value if key == 'until' else json.dumps(value)}\n" for key, value in entry.items())
    path.write_text(f"[[accepted]]\n{lines}")
    return path


class Osv(BaseHTTPRequestHandler):
    """A fake osv.dev with one advisory, for any version of kfp."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        package = asked["package"]
        known = {
            "id": "GHSA-aaaa-bbbb-cccc",
            "aliases": ["CVE-2026-0001"],
            "affected": [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "99"}]}]}],
        }
        body = json.dumps({"vulns": [known]} if package["name"] == "kfp" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


@pytest.fixture
def osv():
    with ThreadingHTTPServer(("127.0.0.1", 0), Osv) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


def test_each_lock_file_and_the_browser_have_a_valid_complete_sbom(tmp_path):
    subprocess.run([sys.executable, SCRIPTS / "sbom.py", tmp_path], check=True, capture_output=True)
    bills = {path.name.removesuffix(".cdx.json"): path.read_text() for path in tmp_path.iterdir()}
    environments = {f"environment-{key}" for key in ("base", "previews", "steps", "tfx")}
    assert set(bills) == {"portal", "browser", *environments}
    for name, text in bills.items():
        assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(text) is None, name
    versions = {part["version"] for part in json.loads(bills["portal"])["components"] if part["name"] == "django"}
    assert {version.partition(".")[0] for version in versions} == {"5", "6"}, "of each Python the portal runs on"
    parts = {name: {part["name"]: part for part in json.loads(text)["components"]} for name, text in bills.items()}
    assert parts["portal"]["django"]["purl"].startswith("pkg:pypi/django@")
    assert "pytest" not in parts["portal"], "what only development needs is not shipped"
    assert "tensorflow-data-validation" in parts["environment-tfx"]
    manifest = json.loads((settings.BASE_DIR / "static" / "vendor" / "manifest.json").read_text())
    assert set(parts["browser"]) == {part["name"] for file in manifest.values() for part in file["from"]}


@pytest.mark.slow
def test_advisory_is_found_in_the_real_lock_file(advisories, osv):
    answer = advisories.audit(settings.BASE_DIR / "environments" / "steps", osv)
    report = advisories.Report()
    advisories.learn(report, "steps", answer, {})
    assert report.asked == len(answer) > 30
    assert report.unasked == []
    assert len(report.found) == 1
    assert "kfp 2." in report.found[0]
    assert "CVE-2026-0001, mended in 99" in report.found[0]


@pytest.mark.slow
def test_unreachable_advisory_service_is_a_failure():
    command = [sys.executable, SCRIPTS / "advisories.py", "--osv-url", "http://127.0.0.1:9/v1/query"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stdout.count("COULD NOT BE CHECKED") == 1 + len(list(settings.BASE_DIR.glob("environments/*/uv.lock")))
    assert "0 packages asked about" in done.stdout


def test_every_version_in_a_lock_file_is_checked(advisories):
    lock = "# by uv\na==1\nb==1 ; python_full_version < '3.12'\nb==2 ; python_full_version >= '3.12'\n    # via a\n"
    assert advisories.rounds(lock) == [["a==1", "b==1"], ["b==2"]]


def package(**more):
    vuln = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.0"]}
    return {"name": "thing", "version": "1.0", "vulns": [vuln], **more}


def test_accepted_advisory_is_ignored_until_its_date(advisories, tmp_path):
    path = accept(tmp_path / "a", id="CVE-1", package="thing", reason="Not used that way.", until="2026-11-27")
    for today, found in ((TODAY, 0), (TODAY + dt.timedelta(days=1), 1)):
        report = advisories.Report()
        advisories.learn(report, "portal", [package()], advisories.read_accepted(path, today))
        assert len(report.found) == found


def test_advisory_is_accepted_only_for_its_package(advisories, tmp_path):
    path = accept(tmp_path / "a", id="CVE-1", package="another", reason="Not used.", until="2027-01-01")
    report = advisories.Report()
    advisories.learn(report, "portal", [package()], advisories.read_accepted(path, TODAY))
    assert report.found == ["portal: thing 1.0: PYSEC-1, mended in 2.0"]


def test_acceptance_needs_a_reason_and_a_date(advisories, tmp_path):
    for entry in ({"until": "2027-01-01"}, {"reason": "so"}, {"reason": "", "until": "2027-01-01"}):
        with pytest.raises(SystemExit, match="needs a reason and a day"):
            advisories.read_accepted(accept(tmp_path / "a", id="CVE-1", package="thing", **entry), TODAY)


def test_skipped_package_is_reported(advisories):
    report = advisories.Report()
    advisories.learn(report, "portal", [{"name": "thing", "skip_reason": "not found: thing (1.0)"}], {})
    assert (report.asked, report.unasked) == (0, ["portal: not found: thing (1.0)"])


def test_committed_acceptances_are_valid(advisories):
    advisories.read_accepted(advisories.ACCEPTED, TODAY)
