"""The code reads and writes the settings, configuration and log lines in the documents."""

import json
import logging
import re

import pytest
import yaml
from django.test import Client
from vizkit.types import registry

from apps.runs.gateway.endpoints import endpoints
from apps.runs.gateway.objects.stores import stores
from apps.telemetry.logs import ACCESS_LOGGER, JsonFormatter
from apps.visualizations.services.code import spec_begin
from tests.docs.collecting import ROOT, executes


@executes("docs/artifacts.md: [")
def test_object_stores_example_is_valid(block, settings, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    root = tmp_path / "artifacts"
    root.mkdir()
    text = re.sub(r"/run/secrets/[\w.]+", str(secret), block).replace("/srv/artifacts", str(root))
    settings.VIZPORTAL_OBJECT_STORES = text
    read = {str(store.prefix) for store in stores()}
    assert read == {entry["prefix"] for entry in json.loads(block)}


@executes("docs/endpoints.md: [")
def test_endpoints_example_is_valid(block, settings):
    settings.VIZPORTAL_AUTH = "header"
    settings.VIZPORTAL_ENDPOINTS = block
    assert [endpoint.key for endpoint in endpoints()] == ["prod", "lab"]


@executes("docs/environments.md: # /// script")
def test_custom_code_header_example_is_valid(block, settings):
    settings.VIZPORTAL_ALLOW_DEPENDENCIES = True
    settings.VIZPORTAL_REMOTE_ENVIRONMENTS = ["tfx"]
    spec = spec_begin(registry.get("custom"), block + "print(1)\n")
    assert (spec.environment, spec.dependencies) == ("tfx", ("humanize>=4",))


@executes("docs/storage.md: VIZPORTAL_RESULTS_URL=s3://bucket/prefix")
def test_settings_of_a_results_store_are_documented(block):
    rows = (ROOT / "docs" / "settings.md").read_text()
    names = re.findall(r"^([A-Z_]+)=", block, re.MULTILINE)
    assert len(names) == 2
    assert all(f"| `{name.removesuffix('_FILE')}` |" in rows for name in names)


@executes("docs/monitoring.md: scrape_configs:")
def test_scrape_configuration_uses_prometheus_fields(block):
    known = {"job_name", "authorization", "static_configs"}
    jobs = yaml.safe_load(block)["scrape_configs"]
    assert [set(job) for job in jobs] == [known, known]
    assert all(re.fullmatch(r"[\w.-]+:\d+", target) for job in jobs for target in job["static_configs"][0]["targets"])


@pytest.mark.django_db
@executes('docs/monitoring.md: {"time": "2026-01-31T10:00:00.123Z", "level": "INFO", "logge')
def test_access_log_line_has_the_documented_fields(block, caplog, django_user_model, settings):
    caplog.set_level(logging.INFO, ACCESS_LOGGER)
    browser = Client()
    browser.force_login(django_user_model.objects.create_user("ada"))
    browser.get("/visualizations/")
    [record] = [record for record in caplog.records if record.name == ACCESS_LOGGER]
    line = json.loads(JsonFormatter().format(record))
    shown = json.loads(block)
    # The trace exists only if traces are sent. The request's ids come from its context, which has ended.
    assert set(line) <= set(shown)
    assert {"time", "level", "logger", "message", "method", "view", "status", "ms"} <= set(line)


@pytest.mark.slow
@executes("docs/storage.md: export VIZPORTAL_MOVE_DATABASE_URL_FILE=... VIZPORTAL_MOVE_R")
def test_documented_commands_move_an_installation(block, shell, tmp_path):
    made = shell()
    made.run(".venv/bin/python manage.py migrate -v0")
    target = tmp_path / "database-url"
    target.write_text(f"sqlite:///{tmp_path}/moved.sqlite3")
    text = block.replace("DATABASE_URL_FILE=...", f"DATABASE_URL_FILE={target}")
    text = text.replace("s3://bucket/prefix", f"file://{tmp_path}/moved")
    text = text.replace(" VIZPORTAL_MOVE_RESULTS_OPTIONS_FILE=...", "")
    assert "Both agree." in made.run(text.replace("\nmanage.py", "\n.venv/bin/python manage.py"))
