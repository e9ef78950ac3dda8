"""KFP 1.x's own viewers, which `mlpipeline-ui-metadata` and `mlpipeline-metrics` request.

The formats are KFP 1.x's: kubeflow/pipelines, frontend/src/lib/OutputArtifactLoader.ts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from apps.runs import charts, exceptions
from apps.runs.entities import Artifact
from apps.runs.gateway import ArtifactStream
from apps.runs.previews import archives, tables, texts
from apps.runs.previews.archives import BrokenArchiveError
from apps.runs.previews.preview import MOST_ROWS, shortened
from apps.runs.previews.source import Source
from apps.runs.previews.tables import Table

NAMES: Final = frozenset({"mlpipeline-ui-metadata", "mlpipeline-metrics"})
LARGEST_SOURCE_BYTES: Final = 1024**2
_MOST_VIEWERS: Final = 20
_MOST_POINTS: Final = 20_000
_LONGEST_SOURCE: Final = 2000
Read = Callable[[str, int], bytes]


class UndrawableError(Exception):
    """A viewer cannot be drawn; the text says why, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A named number; `text` is its form for people, in per cent if its format says so."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """One output of a step, drawn.

    Attributes:
        number: its position among the outputs, from 0.
        kind: KFP's name of the viewer.
        source: where it came from; "" if the content was in the metadata itself.
        markup: sanitised HTML, for Markdown only.
        log_dir: for tensorboard.
        link: an http(s) address to open; "" for none.
        problem: why it cannot be drawn; everything else is then empty.
    """

    number: int
    kind: str
    source: str = ""
    classification: charts.Classification | None = None
    table: Table | None = None
    markup: str = ""
    is_web_app: bool = False
    log_dir: str = ""
    link: str = ""
    problem: str = ""

    @property
    def classifications(self) -> tuple[charts.Classification, ...]:
        """The values that runs/_drawn.html draws."""
        return (self.classification,) if self.classification else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Everything that one of the two artifacts requests; `note` says what is missing."""

    viewers: tuple[Viewer, ...] = ()
    metrics: tuple[Metric, ...] = ()
    note: str = ""


def is_drawn(artifact: Artifact) -> bool:
    """Whether an artifact is one of the two; KFP 2 writes their names with underscores."""
    return any(artifact.name.replace("_", "-").endswith(name) for name in NAMES)


def read_all(artifact: Artifact, stream: ArtifactStream, limit: int) -> bytes:
    """Returns a file's first bytes, unpacked from a .gz or a .tgz with one file.

    Raises:
        UndrawableError: it is a folder of several files, or a broken archive.
        EndpointDownError: the connection was closed.
    """
    source = Source(stream.chunks)
    if source.peek(2) != archives.GZIP_MAGIC:
        return b"".join(source.chunks(limit))
    try:
        found = archives.opened(source, artifact.file_name)
        if isinstance(found, archives.SingleFile):
            return b"".join(found.source.chunks(limit))
    except BrokenArchiveError as error:
        raise UndrawableError(f"{artifact.file_name}: {error}") from error
    raise UndrawableError(f"{artifact.file_name} holds {len(found.members)} files where one was expected.")


def draw(body: bytes, read: Read) -> Drawing:
    """Draws what such an artifact requests. An output that cannot be drawn says why and does not affect the others.

    Args:
        body: the artifact's JSON.
        read: returns a source's first bytes; raises RunsError or UndrawableError.
    """
    try:
        found = json.loads(texts.decoded(body))
    except (ValueError, RecursionError):
        return Drawing(note="This is not the JSON that Kubeflow expects, so nothing can be drawn from it.")
    if not isinstance(found, dict):
        return Drawing(note="This holds no list of outputs, so nothing can be drawn from it.")
    outputs, metrics = found.get("outputs"), found.get("metrics")
    listed = outputs if isinstance(outputs, list) else []
    numbers = tuple(_metrics(metrics if isinstance(metrics, list) else []))
    if not listed and not numbers:
        return Drawing(note="The step asked for nothing to be drawn.")
    drawn = tuple(viewer(number, item, read) for number, item in enumerate(listed[:_MOST_VIEWERS]))
    left_out = len(listed) - len(drawn)
    return Drawing(viewers=drawn, metrics=numbers, note=f"{left_out} more are not shown." if left_out else "")


def output(body: bytes, number: int) -> Mapping[str, Any] | None:
    """Returns one of the outputs from the metadata, unchanged; None if there is none with this number."""
    try:
        found = json.loads(texts.decoded(body))["outputs"][number]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def viewer(number: int, item: Any, read: Read) -> Viewer:
    """Draws one output."""
    if not isinstance(item, dict):
        return Viewer(number=number, kind="unknown", problem="It is not an object with a type.")
    kind = str(item.get("type", ""))[:100].lower()
    base = Viewer(number=number, kind=kind, source="" if _is_inline(item) else _source(item)[:_LONGEST_SOURCE])
    draw_one = _DRAWN.get(kind)
    if draw_one is None:
        return replace(base, problem=f"The portal knows no viewer of the type {kind or 'without a name'}.")
    try:
        return draw_one(base, item, read)
    except UndrawableError as error:
        return replace(base, problem=str(error))
    except exceptions.RunsError as error:
        return replace(base, problem=f"Its source cannot be read: {error}")


def source_bytes(item: Mapping[str, Any], read: Read, limit: int) -> bytes:
    """Returns an output's content, from the metadata itself or from its source.

    Raises:
        UndrawableError, RunsError: there is none, or it cannot be read.
    """
    source = _source(item)
    if _is_inline(item):
        return source.encode("utf-8", "replace")[:limit]
    if not source:
        raise UndrawableError("It names no source.")
    return read(source, limit)


def _is_inline(item: Mapping[str, Any]) -> bool:
    return item.get("storage") == "inline"


def _source(item: Mapping[str, Any]) -> str:
    source = item.get("source")
    return source if isinstance(source, str) else ""


def _lines(item: Mapping[str, Any], read: Read, most_rows: int) -> Table:
    """Reads a CSV without a header."""
    body = source_bytes(item, read, LARGEST_SOURCE_BYTES)
    is_cut = len(body) >= LARGEST_SOURCE_BYTES
    found = tables.rows_alone(texts.decoded(body), is_cut=is_cut, most_rows=most_rows)
    if found is None or not found.rows:
        raise UndrawableError("Its source holds no rows.")
    return found


def _columns(item: Mapping[str, Any]) -> list[str]:
    schema = item.get("schema")
    if not isinstance(schema, list) or not schema:
        raise UndrawableError("It has no schema that names the columns.")
    return [str(column.get("name", "")) if isinstance(column, dict) else "" for column in schema]


def _confusion_matrix(base: Viewer, item: Mapping[str, Any], read: Read) -> Viewer:
    labels = item.get("labels")
    if not isinstance(labels, list) or not labels or len(labels) > 100:
        raise UndrawableError("It needs a list of labels, at most a hundred.")
    columns = (*_columns(item), "", "")
    names = [shortened(str(label).strip()) for label in labels]
    rows = _lines(item, read, len(names) ** 2 + 1).rows
    if len(rows) != len(names) ** 2:
        raise UndrawableError(f"{len(names)} labels need {len(names) ** 2} rows; its source has {len(rows)}.")
    matrix = charts.matrix_of_counts(names, _counts(rows), axes=(columns[0] or "true", columns[1] or "predicted"))
    if matrix is None:
        raise UndrawableError("A row of its source is not a pair of its labels with a count.")
    return replace(base, classification=charts.Classification(roc=None, confusion=matrix))


def _counts(rows: tuple[tuple[str, ...], ...]) -> Iterator[tuple[str, str, float]]:
    for row in rows:
        try:
            yield row[0].strip(), row[1].strip(), float(row[2])
        except (IndexError, ValueError) as error:
            raise UndrawableError(f"{', '.join(row)[:100]} is not a pair of labels with a count.") from error


def _roc(base: Viewer, item: Mapping[str, Any], read: Read) -> Viewer:
    columns = [name.lower() for name in _columns(item)]
    found = [next((place for place, name in enumerate(columns) if name == wanted), None) for wanted in ("fpr", "tpr")]
    false, true = found
    if false is None or true is None:
        raise UndrawableError("Its schema names no columns fpr and tpr.")
    rows = _lines(item, read, _MOST_POINTS).rows
    try:
        curve = charts.roc_curve((float(row[false]), float(row[true])) for row in rows)
    except (IndexError, ValueError) as error:
        raise UndrawableError("A row of its source has no numbers where the schema puts fpr and tpr.") from error
    if curve is None:
        raise UndrawableError("Its source has fewer than two points between 0 and 1.")
    return replace(base, classification=charts.Classification(roc=curve, confusion=None))


def _table(base: Viewer, item: Mapping[str, Any], read: Read) -> Viewer:
    header = item.get("header")
    if not isinstance(header, list) or not header:
        raise UndrawableError("It has no header that names the columns.")
    if str(item.get("format", "csv")).lower() != "csv":
        raise UndrawableError(f"Its format is {str(item.get('format'))[:50]}; only csv can be read.")
    return replace(base, table=_headed(header, _lines(item, read, MOST_ROWS)))


def _headed(header: list[Any], found: Table) -> Table:
    width = max(len(header), len(found.rows[0]))
    names = [shortened(str(name)) for name in header[:width]]
    rows = tuple((*row, *[""] * (width - len(row))) for row in found.rows)
    return Table(header=(*names, *[""] * (width - len(names))), rows=rows, is_cut=found.is_cut)


def _markdown(base: Viewer, item: Mapping[str, Any], read: Read) -> Viewer:
    return replace(base, markup=texts.markdown(texts.decoded(source_bytes(item, read, LARGEST_SOURCE_BYTES))))


def _web_app(base: Viewer, item: Mapping[str, Any], read: Read) -> Viewer:
    # The frame requests its page itself; one byte here shows whether it is empty.
    if not source_bytes(item, read, 1):
        raise UndrawableError("Its page is empty.")
    return replace(base, is_web_app=True)


def _tensorboard(base: Viewer, item: Mapping[str, Any], _read: Read) -> Viewer:
    log_dir = _source(item)[:_LONGEST_SOURCE]
    if not log_dir:
        raise UndrawableError("It names no log directory.")
    return replace(base, source="", log_dir=log_dir, link=log_dir if _is_web(log_dir) else "")


def _is_web(address: str) -> bool:
    try:
        return urlsplit(address).scheme.lower() in {"http", "https"}
    except ValueError:
        return False


_DRAWN: Final[Mapping[str, Callable[[Viewer, Mapping[str, Any], Read], Viewer]]] = {
    "confusion_matrix": _confusion_matrix,
    "roc": _roc,
    "table": _table,
    "markdown": _markdown,
    "web-app": _web_app,
    "tensorboard": _tensorboard,
}


def _metrics(listed: list[Any]) -> Iterator[Metric]:
    for item in listed[:200]:
        if not isinstance(item, dict):
            continue
        value = item.get("numberValue", 0)  # proto JSON omits zeros
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        is_share = item.get("format") == "PERCENTAGE"
        yield Metric(
            name=shortened(str(item.get("name", ""))) or "without a name",
            text=f"{value * 100:.3f}%" if is_share else f"{value:,}" if isinstance(value, int) else f"{value:.6g}",
        )
