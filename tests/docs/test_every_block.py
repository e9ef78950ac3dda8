"""A test executes every fenced block of the documents, or the block is listed here with a reason."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from tests.docs.collecting import BLOCKS, DOCUMENTS, ROOT, executed

CLUSTER = "needs a cluster; tests/deploy builds and checks its manifests"
ENGINE = "needs a container engine; tests/deploy checks the Dockerfile"
SUITE = "runs the tests and linters themselves"
DIAGRAM = "a diagram"
PG_RESTORE = 'pg_restore --no-owner --dbname="$DATABASE" backup/portal.dump'
# Executed elsewhere: the test file that reads the block from the document.
ELSEWHERE = {
    "docs/storage.md: mkdir -p -m 700 backup": "tests/backup/test_backup_one_machine.py",
    "docs/storage.md: mkdir -m 700 data": "tests/backup/test_backup_one_machine.py",
    "docs/storage.md: install -d -m 700 backup": "tests/backup/test_backup_apart.py",
    f"docs/storage.md: {PG_RESTORE[:60]}": "tests/backup/test_backup_apart.py",
}
NOT_EXECUTED = {
    "README.md: browser    a step's Artifacts tab: the Visualization Creator": DIAGRAM,
    "README.md: KFP_HOST=https://kubeflow.example.com/pipeline KFP_EXISTING_": CLUSTER,
    "CONTRIBUTING.md: make run": SUITE,
    "CONTRIBUTING.md: make test-plain": SUITE,
    "docs/kfp-service.md: - name: ML_PIPELINE_VISUALIZATIONSERVER_SERVICE_HOST": CLUSTER,
    "docs/kubernetes.md: deploy/make-secrets.sh my-secrets vizportal-queue": CLUSTER,
    "docs/kubernetes.md: kubectl apply -k deploy/kubernetes/overlays/mine": CLUSTER,
    "docs/kubernetes.md: kubectl delete job vizportal-migrate -n vizportal --ignore-n": CLUSTER,
    "docs/kubernetes.md: kubectl delete -k deploy/kubernetes/overlays/mine": CLUSTER,
    "docs/operations.md: for target in web worker-base worker-tfx; do": ENGINE,
    "docs/render-host.md: worker ── RenderHost (renderer/hosts.py) ── Unix socket ──┐": DIAGRAM,
}


def test_every_block_is_executed_or_has_a_reason():
    for path in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(f"tests.docs.{path.stem}")
    groups = [executed, set(ELSEWHERE), set(NOT_EXECUTED)]
    assert set.union(*groups) == set(BLOCKS)
    assert sum(map(len, groups)) == len(BLOCKS), "a block is named twice"


def test_tests_of_blocks_executed_elsewhere_exist():
    for name in ELSEWHERE.values():
        assert "commands(" in (ROOT / name).read_text()


def _parse_shell(text: str) -> None:
    subprocess.run(["bash", "-n", "-c", text], check=True, capture_output=True)


PARSERS = {"sh": _parse_shell, "python": ast.parse, "json": json.loads, "yaml": yaml.safe_load, "text": str}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_block_can_be_parsed(block):
    assert block.language in PARSERS, f"a block's language is one of {sorted(PARSERS)}"
    PARSERS[block.language](block.text)
    assert block.language != "text" or NOT_EXECUTED[block.key] == DIAGRAM


def commands_named() -> list[tuple[str, str, str]]:
    """Returns (document, command, rest of the call) of every `manage.py ...` in the documents, in blocks and text."""
    call = re.compile(r"manage\.py ([a-z_]+)([^`\n]*)")
    return [(str(name), *found) for name in DOCUMENTS for found in call.findall((ROOT / name).read_text())]


@pytest.mark.parametrize(("document", "name", "rest"), commands_named())
def test_manage_py_command_and_its_options_exist(document, name, rest):
    app = get_commands()[name]
    command = app if isinstance(app, BaseCommand) else load_command_class(app, name)
    parser = command.create_parser("manage.py", name)
    known = set(parser._option_string_actions)  # argparse has no public list of options  # noqa: SLF001
    for choice in (action.choices for action in parser._actions if isinstance(action.choices, dict)):  # noqa: SLF001
        for inner in choice.values():
            known |= set(inner._option_string_actions)  # noqa: SLF001
    # Text after a comment, another command or `--` is not an option of this command.
    own = re.split(r"[#;|)]|&&| -- ", rest)[0]
    assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", own)) <= known, document


def test_every_mentioned_make_target_exists():
    makefile = (ROOT / "Makefile").read_text()
    targets = {word for line in re.findall(r"^([a-z -]+):", makefile, re.MULTILINE) for word in line.split()}
    for document in DOCUMENTS:
        text = (ROOT / document).read_text()
        named = set(re.findall(r"(?:`|^|\s)make ([a-z][a-z-]+)(?=`|$|\s+#|\s+--)", text, re.MULTILINE))
        assert named <= targets, document


def test_test_files_named_in_contributing_exist():
    for name in re.findall(r"tests/[\w/]+\.py", (ROOT / "CONTRIBUTING.md").read_text()):
        assert (ROOT / name).is_file()


# A reader's own file, a module of the toolkit, and a sample's artifact.
OWN_FILES = {"types/histogram.py", "vizkit.html", "report.html"}


def test_every_file_named_in_a_document_exists():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    files = [f"/{name}" for name in listed]
    for document in DOCUMENTS:
        named = set(re.findall(r"`([\w./-]*\w\.(?:py|html|toml|yaml|js|css))`", (ROOT / document).read_text()))
        missing = {
            name for name in named - OWN_FILES if not any(file.endswith(f"/{name.lstrip('./')}") for file in files)
        }
        assert not (files and missing), document
