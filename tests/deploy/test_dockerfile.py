"""Check the Dockerfile as text, without a container engine."""

import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.utils.module_loading import import_string
from settings_rows import unknown_settings

from vizportal.settings import BASE_DIR

PATH = BASE_DIR / "deploy" / "Dockerfile"
TEXT = PATH.read_text().replace("\\\n", " ")
TARGETS = ["localkfp", "worker-base", "worker-tfx", "web"]
INSTRUCTION = re.compile(r"^(FROM|RUN|COPY|ENV|ARG|USER|WORKDIR|VOLUME|EXPOSE|HEALTHCHECK|CMD) +(.*)$", re.MULTILINE)


def read_stages():
    """Returns {stage: (its parent, its own instructions)}."""
    stages, current = {}, None
    for name, rest in INSTRUCTION.findall(TEXT):
        if name == "FROM":
            parent, _, current = rest.partition(" AS ")
            stages[current] = (parent, [])
        elif current:
            stages[current][1].append((name, rest))
    return stages


STAGES = read_stages()


def lineage(stage):
    """Returns the instructions of a stage and its parents, in build order."""
    if stage not in STAGES:
        return []
    parent, own = STAGES[stage]
    return [*lineage(parent), *own]


def last(stage, name):
    return [rest for each, rest in lineage(stage) if each == name][-1]


def variables(stage):
    found = {}
    for name, rest in lineage(stage):
        if name == "ENV":
            found |= dict(word.split("=", 1) for word in shlex.split(rest))
    return found


def test_every_process_has_an_image_and_web_is_the_default():
    assert set(TARGETS) <= set(STAGES)
    assert list(STAGES)[-1] == "web"


def test_hadolint_finds_nothing():
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, PATH], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_finds_a_planted_mistake(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN apt-get install gcc\n")
    hadolint = Path(sys.executable).parent / "hadolint"
    assert subprocess.run([hadolint, tmp_path / "Dockerfile"], capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("target", TARGETS)
def test_image_is_based_on_the_base_image_and_not_on_a_build_stage(target):
    stage, chain = target, []
    while stage in STAGES:
        chain.append(stage)
        stage = STAGES[stage][0]
    assert stage == "${PYTHON_IMAGE}"
    assert "runtime" in chain
    assert not {"tools", "code", "prepared"} & set(chain)
    # Nothing is compiled or installed in these stages, so an image has no compiler and no package cache.
    assert [rest for name, rest in lineage(target) if name == "RUN"] == [
        "useradd --uid 10001 --create-home --home-dir /data vizportal"
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_image_runs_as_unprivileged_user_with_a_health_check(target):
    assert last(target, "USER") == "10001"
    assert last(target, "VOLUME") == '["/data"]'
    port = last(target, "EXPOSE")
    assert re.search(rf'CMD \["python", "alive.py", "http://127.0.0.1:{port}/', last(target, "HEALTHCHECK"))


@pytest.mark.parametrize(
    ("target", "environments"),
    [("web", {"previews"}), ("worker-base", {"base"}), ("worker-tfx", {"tfx"}), ("localkfp", {"steps"})],
)
def test_image_has_only_the_environments_that_it_needs(target, environments):
    copied = " ".join(rest for name, rest in lineage(target) if name == "COPY")
    assert set(re.findall(r"/srv/environments/(\w+)", copied)) == environments
    assert ("/srv/static" in copied) == (target == "web")
    assert variables(target).get("VIZPORTAL_STATIC_DIR") == ("/srv/static" if target == "web" else None)


@pytest.mark.parametrize("target", TARGETS)
def test_every_setting_of_an_image_is_documented_and_not_secret(target):
    own = {name for name in variables(target) if not name.startswith(("PYTHON", "PATH"))}
    assert own
    assert unknown_settings(own) == set()
    assert not re.search(r"(SECRET|TOKEN|PASSWORD)", TEXT)


@pytest.mark.parametrize("target", TARGETS)
def test_command_of_every_image_exists(target):
    words = shlex.split(last(target, "CMD").strip("[]").replace(",", " "))
    subcommands = [after for word, after in pairwise(words) if word == "manage.py"]
    assert set(subcommands) <= set(get_commands())
    dotted = [
        word.replace(":", ".") for word in words if re.fullmatch(r"(apps|vizportal|rq)(\.\w+)+(:\w+)?|localkfp", word)
    ]
    assert dotted
    for each in dotted:
        assert import_string(f"{each}.__main__.main" if each == "localkfp" else each)
    if target.startswith("worker-"):
        assert f"render-{target.removeprefix('worker-')}" in words


def test_localkfp_accepts_the_options_of_its_image(monkeypatch):
    from localkfp import __main__ as localkfp

    monkeypatch.setattr(sys, "argv", shlex.split(last("localkfp", "CMD").strip("[]").replace(",", " "))[2:])
    options = localkfp.read_options()
    assert (options.host, options.port, options.samples) == ("0.0.0.0", 8001, True)


def copies():
    """Returns (source stage or None, sources) of every COPY."""
    for _parent, own in STAGES.values():
        for name, rest in own:
            if name == "COPY":
                words = shlex.split(rest)
                options = [word for word in words if word.startswith("--")]
                stage = next((word.partition("=")[2] for word in options if word.startswith("--from=")), None)
                yield stage, [word for word in words if not word.startswith("--")][:-1]


def test_copied_files_exist_and_are_not_ignored():
    kept = {line[1:] for line in (BASE_DIR / ".dockerignore").read_text().split() if line.startswith("!")}
    seen = set()
    for stage, sources in copies():
        if stage is not None:
            assert stage in STAGES
            continue
        for source in sources:
            assert (BASE_DIR / source).exists(), source
            assert any(source == each or source.startswith(f"{each}/") for each in kept), source
            seen.add(source.partition("/")[0])
    assert {"pyproject.toml", "uv.lock", "apps", "vizportal", "manage.py", "environments", "deploy"} <= seen


def test_package_stages_copy_only_lock_files():
    for key in ("portal", "base", "tfx", "steps", "previews"):
        sources = [rest for name, rest in lineage(f"packages-{key}") if name == "COPY"]
        assert sources == (
            ["pyproject.toml uv.lock ./"] if key == "portal" else [f"environments/{key} environments/{key}"]
        )


def test_build_steps_use_existing_commands():
    runs = " ".join(rest for _parent, own in STAGES.values() for name, rest in own if name == "RUN")
    assert set(re.findall(r"manage\.py (\w+)", runs)) == {"collectstatic", "environments"} <= set(get_commands())
    assert set(re.findall(r"environments build (\w+)", runs)) == {"base", "tfx"}


def test_static_files_are_readable_by_the_serving_user():
    """Root collects them with the portal's file mode 0600. This was found by starting the image's command."""
    (collecting,) = [rest for name, rest in STAGES["static"][1] if name == "RUN"]
    assert collecting.endswith("&& chmod -R a+rX /srv/static")


def test_images_have_the_pinned_uv_version():
    pinned = re.search(r"uv==([\d.]+)", (BASE_DIR / "pyproject.toml").read_text())[1]
    assert f"uv=={pinned}" in TEXT
    assert f"UV_VERSION := {pinned}" in (BASE_DIR / "Makefile").read_text()


def test_base_image_has_the_python_version_of_the_environments():
    (version,) = re.findall(r"^ARG PYTHON_IMAGE=python:([\d.]+)-slim-bookworm$", TEXT, re.MULTILINE)
    assert f'requires-python = "=={version}.*"' in (BASE_DIR / "environments" / "tfx" / "pyproject.toml").read_text()
