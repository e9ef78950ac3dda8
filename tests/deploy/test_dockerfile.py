"""The images, read as text: what can be known of them without a container engine."""

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
    """{stage: (its parent, its own instructions)}"""
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
    """A stage's instructions with those of what it is made from, the first ones first."""
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


def test_there_is_an_image_for_each_kind_of_process_and_web_is_the_default():
    assert set(TARGETS) <= set(STAGES)
    assert list(STAGES)[-1] == "web"


def test_hadolint_has_nothing_to_say():
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, PATH], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_would_have_something_to_say(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN apt-get install gcc\n")
    hadolint = Path(sys.executable).parent / "hadolint"
    assert subprocess.run([hadolint, tmp_path / "Dockerfile"], capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_comes_from_the_base_image_and_not_from_a_stage_that_builds(target):
    stage, chain = target, []
    while stage in STAGES:
        chain.append(stage)
        stage = STAGES[stage][0]
    assert stage == "${PYTHON_IMAGE}"
    assert "runtime" in chain
    assert not {"tools", "code", "prepared"} & set(chain)
    # Nothing is compiled or installed on the way: no compiler, and no cache of a package manager, is in an image.
    assert [rest for name, rest in lineage(target) if name == "RUN"] == [
        "useradd --uid 10001 --create-home --home-dir /data vizportal"
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_as_nobody_special_and_says_whether_it_is_well(target):
    assert last(target, "USER") == "10001"
    assert last(target, "VOLUME") == '["/data"]'
    port = last(target, "EXPOSE")
    assert re.search(rf'CMD \["python", "alive.py", "http://127.0.0.1:{port}/', last(target, "HEALTHCHECK"))


@pytest.mark.parametrize(
    ("target", "environments"),
    [("web", {"previews"}), ("worker-base", {"base"}), ("worker-tfx", {"tfx"}), ("localkfp", {"steps"})],
)
def test_an_image_has_the_environments_it_needs_and_no_other(target, environments):
    copied = " ".join(rest for name, rest in lineage(target) if name == "COPY")
    assert set(re.findall(r"/srv/environments/(\w+)", copied)) == environments
    assert ("/srv/static" in copied) == (target == "web")
    assert variables(target).get("VIZPORTAL_STATIC_DIR") == ("/srv/static" if target == "web" else None)


@pytest.mark.parametrize("target", TARGETS)
def test_every_setting_of_an_image_is_documented_and_none_is_a_secret(target):
    own = {name for name in variables(target) if not name.startswith(("PYTHON", "PATH"))}
    assert own
    assert unknown_settings(own) == set()
    assert not re.search(r"(SECRET|TOKEN|PASSWORD)", TEXT)


@pytest.mark.parametrize("target", TARGETS)
def test_the_process_of_an_image_exists(target):
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


def test_localkfp_knows_its_options(monkeypatch):
    from localkfp import __main__ as localkfp

    monkeypatch.setattr(sys, "argv", shlex.split(last("localkfp", "CMD").strip("[]").replace(",", " "))[2:])
    options = localkfp.read_options()
    assert (options.host, options.port, options.samples) == ("0.0.0.0", 8001, True)


def copies():
    """(stage it comes from or None, sources) of every COPY."""
    for _parent, own in STAGES.values():
        for name, rest in own:
            if name == "COPY":
                words = shlex.split(rest)
                options = [word for word in words if word.startswith("--")]
                stage = next((word.partition("=")[2] for word in options if word.startswith("--from=")), None)
                yield stage, [word for word in words if not word.startswith("--")][:-1]


def test_what_is_copied_is_there_and_not_ignored():
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


def test_packages_are_built_without_looking_at_the_code():
    for key in ("portal", "base", "tfx", "steps", "previews"):
        sources = [rest for name, rest in lineage(f"packages-{key}") if name == "COPY"]
        assert sources == (
            ["pyproject.toml uv.lock ./"] if key == "portal" else [f"environments/{key} environments/{key}"]
        )


def test_the_steps_of_the_build_name_commands_that_exist():
    runs = " ".join(rest for _parent, own in STAGES.values() for name, rest in own if name == "RUN")
    assert set(re.findall(r"manage\.py (\w+)", runs)) == {"collectstatic", "environments"} <= set(get_commands())
    assert set(re.findall(r"environments build (\w+)", runs)) == {"base", "tfx"}


def test_static_files_may_be_read_by_the_user_who_serves_them():
    """Collected by root with the portal's own mode for files, 0600: found by starting it as the image does."""
    (collecting,) = [rest for name, rest in STAGES["static"][1] if name == "RUN"]
    assert collecting.endswith("&& chmod -R a+rX /srv/static")


def test_the_images_have_the_uv_that_the_project_pins():
    pinned = re.search(r"uv==([\d.]+)", (BASE_DIR / "pyproject.toml").read_text())[1]
    assert f"uv=={pinned}" in TEXT
    assert f"UV_VERSION := {pinned}" in (BASE_DIR / "Makefile").read_text()


def test_the_base_image_has_the_python_that_every_environment_takes():
    (version,) = re.findall(r"^ARG PYTHON_IMAGE=python:([\d.]+)-slim-bookworm$", TEXT, re.MULTILINE)
    assert f'requires-python = "=={version}.*"' in (BASE_DIR / "environments" / "tfx" / "pyproject.toml").read_text()
