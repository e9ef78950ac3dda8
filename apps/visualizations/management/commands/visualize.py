"""manage.py visualize: renders a local file into an HTML file, without queue, database or Kubeflow."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from renderer import (
    EnvironmentUnusableError,
    HostLostError,
    Progress,
    RenderHost,
    RenderJob,
    RenderOutcome,
    RenderSpec,
    render,
)
from renderer.clearing import tree_remove
from vizkit.types import arguments
from vizkit.types.entities import VisualizationType

from apps.visualizations import selectors
from apps.visualizations.environments import environments
from apps.visualizations.exceptions import VisualizationsError
from apps.visualizations.services import pictures
from apps.visualizations.services.assets import assets_publish, inline_assets
from apps.visualizations.services.code import custom_check
from apps.visualizations.services.figures import figures_complete
from apps.visualizations.services.hosts import LOCAL_PREFIX, host_get, work_root
from apps.visualizations.services.inputs import limits_of_server
from apps.visualizations.services.requests import arguments_clean

_CHUNK = 256 * 1024


class Command(BaseCommand):
    """Tries out a type with the same code, environment and limits as in the portal."""

    help = "Render a file without the queue: visualize TYPE --source FILE --output FILE."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("type", help="a type's key, case ignored")
        parser.add_argument("--source", default="", help="a local file or pattern")
        parser.add_argument("--arguments", nargs="*", default=[], metavar="JSON|KEY=VALUE", help="the type's arguments")
        parser.add_argument("--code", type=Path, help="the file of code, for CUSTOM")
        parser.add_argument(
            "--output",
            type=Path,
            required=True,
            help="where to write the HTML, or the first picture: .html, .svg or .png",
        )
        parser.add_argument("--notebook", type=Path, help="where to write the executed notebook")
        parser.add_argument("--title", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            kind = selectors.type_get(options["type"])
            custom_check(kind)
            job = self._job(kind, options)
            host = self._host(kind)
        except (VisualizationsError, arguments.ArgumentsError, EnvironmentUnusableError) as error:
            details = getattr(error, "fields", {})
            raise CommandError(
                "\n".join([str(error), *(f"{name}: {text}" for name, text in details.items())])
            ) from error
        directory = Path(tempfile.mkdtemp(prefix=LOCAL_PREFIX, dir=work_root()))
        try:
            with render(
                job,
                host=host,
                directory=directory,
                on_progress=self._progress,
                is_cancelled=lambda: False,
            ) as outcome:
                self._keep(outcome, options)
                for each in figures_complete(kind.key, outcome.figures):
                    better = f" ({each.better} is better)" if each.better != "none" else ""
                    self.stdout.write(f"{each.name}: {each.value:.10g}{each.unit and f' {each.unit}'}{better}")
        except HostLostError as error:
            raise CommandError(str(error)) from error
        finally:
            tree_remove(directory)

    def _job(self, kind: VisualizationType, options: dict[str, Any]) -> RenderJob:
        source = options["source"]
        if kind.needs_source and not source:
            raise CommandError(f"{kind.title} needs a --source.")
        path = Path(source).absolute()
        if source and not any(path.parent.glob(path.name)):
            raise CommandError(f"There is no file {source}.")
        spec = RenderSpec(
            code=self._code(kind, options["code"]),
            arguments=arguments_clean(kind, parse_arguments(options["arguments"])),
            is_custom=kind.is_custom,
            environment=kind.environment,
            kernel=kind.kernel,
            source_uri=source,
            timeout_s=settings.KERNEL_TIMEOUT,
        )
        return RenderJob(
            spec=spec,
            title=options["title"] or kind.title,
            source=str(path) if source else "",
            needs_sandbox=kind.needs_sandbox and not settings.VIZPORTAL_CUSTOM_WITHOUT_SANDBOX,
            limits=limits_of_server(),
        )

    def _code(self, kind: VisualizationType, path: Path | None) -> str:
        if not kind.is_custom:
            return kind.code
        if path is None:
            raise CommandError("CUSTOM needs a file of --code.")
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"Cannot read {path}: {error}") from error

    def _host(self, kind: VisualizationType) -> RenderHost:
        info = environments().get(kind.environment)
        if info.interpreter is None:
            raise CommandError(f"Build its environment first: manage.py environments build {kind.environment}")
        assets_publish(info.interpreter.parent.parent)
        return host_get(info)

    def _progress(self, progress: Progress) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\rcell {progress.cell} of {progress.cells}, {progress.elapsed_s:.0f} s", ending="")

    def _keep(self, outcome: RenderOutcome, options: dict[str, Any]) -> None:
        if options["notebook"] and outcome.notebook:
            with options["notebook"].open("wb") as copy:
                shutil.copyfileobj(outcome.notebook, copy)
        page = outcome.html
        if page is None:
            self.stderr.write(outcome.traceback)
            raise CommandError(f"{outcome.state} ({outcome.reason}): {outcome.message}")
        self._write(iter(lambda: page.read(_CHUNK), b""), options["output"])
        seconds = outcome.timings.get("total", 0)
        self.stdout.write(f"{options['output']}: {options['output'].stat().st_size:,} bytes in {seconds:.2f} s")

    def _write(self, page: Iterable[bytes], path: Path) -> None:
        kind = path.suffix[1:].lower()
        if kind in {"svg", "png"}:
            try:
                content = pictures.picture_make(page, cast("pictures.Kind", kind))
            except FileNotFoundError as error:
                raise CommandError(str(error)) from error
            if not content:
                raise CommandError(f"The result has no picture that can be written as {kind.upper()}.")
            path.write_bytes(content)
            return
        # The file must open anywhere, so assets that the portal would serve separately are inlined.
        with path.open("wb") as output:
            output.writelines(inline_assets(page))


def parse_arguments(texts: list[str]) -> dict[str, Any]:
    """Returns arguments given as JSON objects, or as KEY=VALUE with a JSON value or plain text.

    Raises:
        ArgumentsError: a text is neither.
    """
    values: dict[str, Any] = {}
    for text in texts:
        name, mark, value = text.partition("=")
        if text.lstrip().startswith("{"):
            values |= arguments.parse(text)
        elif mark:
            values[name] = _value(value)
        else:
            raise arguments.ArgumentsError({"": f"{text!r} is neither a JSON object nor KEY=VALUE."})
    return values


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
