"""`python -m renderer FILE -o page.html`: runs a notebook or a Python file in the sandbox and writes its page.

A visualization type is a Python file too. Its code sees `source`, `source_uri` and `variables`; `variables` starts with
the defaults declared in its header. Only the portal applies the header's other rules (`manage.py visualize`).
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any, Final

from renderer.assets import LocalAsset, asset_paths, inline_assets
from renderer.entities import RenderOutcome
from renderer.host_spec import HostLostError, HostSpec
from renderer.hosts import RenderHost, hosts_end
from renderer.render import render
from renderer.spec import RenderJob, RenderSpec

_CHUNK: Final = 256 * 1024
# https://packaging.python.org/en/latest/specifications/inline-script-metadata/
_HEADER: Final = re.compile(r"(?m)^# /// script$\s(?P<content>(^#(| .*)$\s)+)^# ///$")


class _UsageError(Exception):
    """A file or an argument cannot be used; the text says which one and why."""


def main(arguments: list[str] | None = None) -> int:
    """Renders one file. Returns 0, 1 if its code failed, or 2 if an argument cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        code = read_code(options.file)
        spec = RenderSpec(
            code=code,
            arguments=read_defaults(code) | _variables(options.set),
            is_custom=True,
            source_uri=options.source,
            timeout_s=options.timeout,
        )
        job = RenderJob(
            spec=spec,
            title=options.title or options.file.stem,
            source=str(Path(options.source).absolute()) if options.source else "",
            needs_sandbox=options.sandbox != "none",
        )
        return _render(job, options)
    except (_UsageError, HostLostError) as error:
        print(f"renderer: {error}", file=sys.stderr)  # noqa: T201
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m renderer", description=__doc__)
    parser.add_argument("file", type=Path, help="a notebook (.ipynb) or Python code; `# %%%%` begins a cell")
    parser.add_argument("-o", "--output", type=Path, required=True, help="where to write the HTML page")
    parser.add_argument("--notebook", type=Path, help="where to write the executed notebook")
    parser.add_argument("--source", default="", help="a file or pattern that the code may read, as `source`")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="one of `variables`, as JSON")
    parser.add_argument(
        "--python", type=Path, default=Path(sys.executable), help="an interpreter that has ipykernel and nbconvert"
    )
    parser.add_argument("--toolkit", type=Path, action="append", default=[], help="a package that the code may import")
    parser.add_argument("--sandbox", choices=("auto", "landlock", "bwrap", "none"), default="auto")
    parser.add_argument("--timeout", type=float, default=100, help="seconds (default: %(default)s)")
    parser.add_argument("--title", default="", help="the page's title (default: the file's name)")
    return parser


def read_code(path: Path) -> str:
    """Returns the code of a file; for a notebook, its code cells, each starting with `# %%`.

    Raises:
        _UsageError: the file is unreadable or not a notebook.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".ipynb":
            return text
        cells = [cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    except (OSError, UnicodeDecodeError) as error:
        raise _UsageError(f"{path} cannot be read: {error}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise _UsageError(f"{path} is not a notebook in the format nbformat 4.") from error
    return "".join(f"# %%\n{cell if isinstance(cell, str) else ''.join(cell)}\n" for cell in cells)


def read_defaults(code: str) -> dict[str, Any]:
    """Returns the argument defaults in a type's header ([tool.vizportal.arguments.NAME]); empty without a header.

    Raises:
        _UsageError: the header is not valid TOML.
    """
    header = _HEADER.search(code)
    if header is None:
        return {}
    lines = [line.removeprefix("#").removeprefix(" ") for line in header["content"].splitlines()]
    try:
        tool = tomllib.loads("\n".join(lines)).get("tool", {}).get("vizportal", {})
    except tomllib.TOMLDecodeError as error:
        raise _UsageError(f"The file's header is not TOML: {error}.") from error
    return {name: each["default"] for name, each in tool.get("arguments", {}).items() if "default" in each}


def _variables(texts: list[str]) -> dict[str, Any]:
    values = {}
    for text in texts:
        name, mark, value = text.partition("=")
        if not mark:
            raise _UsageError(f"--set {text}: expected NAME=VALUE.")
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    return values


def _render(job: RenderJob, options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="renderer-") as folder:
        base = Path(folder)
        spec = HostSpec(
            environment="command",
            # Not resolved: a virtual environment is recognized by the path of its interpreter.
            interpreter=options.python.absolute(),
            run_dir=base / "run",
            work_root=base / "work",
            sandbox=options.sandbox,
            toolkits=tuple(path.absolute() for path in options.toolkit),
            slots=1,
            idle_children=1,
        )
        directory = spec.work_root / "render"
        directory.mkdir(mode=0o700, parents=True)
        try:
            with render(
                job,
                host=RenderHost(spec),
                directory=directory,
                on_progress=lambda _progress: None,
                is_cancelled=lambda: False,
            ) as outcome:
                return _write(outcome, spec, options)
        finally:
            hosts_end(spec.run_dir)


def _write(outcome: RenderOutcome, spec: HostSpec, options: argparse.Namespace) -> int:
    if options.notebook and outcome.notebook:
        with options.notebook.open("wb") as copy:
            shutil.copyfileobj(outcome.notebook, copy)
    page = outcome.html
    if page is None:
        print(f"{outcome.traceback.rstrip()}\n{outcome.state} ({outcome.reason}): {outcome.message}", file=sys.stderr)  # noqa: T201
        return 1
    assets = asset_paths(spec.interpreter, [static for path in spec.toolkits if (static := path / "static").is_dir()])
    with options.output.open("wb") as output:
        output.writelines(
            inline_assets(
                iter(lambda: page.read(_CHUNK), b""),
                lambda sha256, kind: LocalAsset(found) if (found := assets.get(f"{sha256}.{kind}")) else None,
            )
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
