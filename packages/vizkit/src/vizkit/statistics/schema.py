"""Schemas and anomalies of TensorFlow Metadata as tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from .. import html
from . import messages

_MAX_VALUES: Final = 100
_MAX_ROWS: Final = 5000


# --- Schema ------------------------------------------------------------------------------------------------------


def draw_schema(schema: Any, *, title: str = "") -> str:
    """Returns markup that shows a `Schema`: its features, then its domains."""
    features, domains = schema_rows(schema)
    if not features:
        raise ValueError("The schema describes no feature.")
    head = ("Feature", "Type", "Presence", "Values per example", "Domain")
    shown = html.table(head, features[:_MAX_ROWS], caption=f"{len(features):,} features", numbers=False)
    if domains:
        shown += html.table(("Domain", "Values"), map(_cut, domains), caption="Domains", numbers=False)
    return html.group(shown, title=title)


def _cut(row: tuple[str, list[str]]) -> tuple[str, str]:
    name, values = row
    more = f", and {len(values) - _MAX_VALUES:,} more" if len(values) > _MAX_VALUES else ""
    return name, ", ".join(values[:_MAX_VALUES]) + more


def schema_rows(schema: Any) -> tuple[list[tuple[str, ...]], list[tuple[str, list[str]]]]:
    """Returns a row for each feature, and each domain's name with its values."""
    domains = [(domain.name, list(domain.value)) for domain in schema.string_domain]
    rows = list(_features(schema.feature, "", domains))
    return rows, domains


def _features(found: Any, prefix: str, domains: list[tuple[str, list[str]]]) -> Iterator[tuple[str, ...]]:
    for feature in found:
        kind = feature.DESCRIPTOR.fields_by_name["type"].enum_type.values_by_number[feature.type].name
        if kind == "BYTES" and (feature.HasField("domain") or feature.HasField("string_domain")):
            kind = "STRING"
        if feature.HasField("string_domain"):
            own = feature.string_domain.name or f"{feature.name}_domain"
            domains.append((own, list(feature.string_domain.value)))
        yield prefix + feature.name, kind, _presence(feature), _valency(feature), _domain(feature)
        if feature.HasField("struct_domain"):
            yield from _features(feature.struct_domain.feature, f"{prefix}{feature.name}.", domains)


def _presence(feature: Any) -> str:
    if not feature.HasField("presence"):
        return ""
    if feature.presence.min_fraction == 1:
        return "required"
    least = feature.presence.min_fraction
    return f"optional, at least {html.share(least)}" if least else "optional"


def _valency(feature: Any) -> str:
    if feature.HasField("shape"):
        sizes = [str(dim.size) for dim in feature.shape.dim]
        return "single" if sizes in ([], ["1"]) else " by ".join(sizes)
    if not feature.HasField("value_count"):
        return ""
    count = feature.value_count
    if count.min == count.max == 1:
        return "single"
    least = count.min if count.HasField("min") else 0
    return f"{least} to {count.max}" if count.HasField("max") else f"{least} or more"


def _domain(feature: Any) -> str:
    kind = feature.WhichOneof("domain_info")
    if kind == "domain":
        return str(feature.domain)
    if kind == "string_domain":
        return feature.string_domain.name or f"{feature.name}_domain"
    if kind in {"int_domain", "float_domain"}:
        limits = getattr(feature, kind)
        parts = [f"{name}: {getattr(limits, name):g}" for name in ("min", "max") if limits.HasField(name)]
        if kind == "float_domain":
            parts += [words for name, words in _FLOATS.items() if getattr(limits, name, False)]
        parts += ["categories"] if getattr(limits, "is_categorical", False) else []
        return "; ".join(parts) or "any"
    return str(kind).removesuffix("_domain").replace("_", " ") if kind else ""


_FLOATS: Final = {"disallow_nan": "no NaN", "disallow_inf": "no infinity"}


# --- Anomalies ---------------------------------------------------------------------------------------------------


def draw_anomalies(anomalies: Any, *, title: str = "") -> str:
    """Returns markup that shows `Anomalies`: errors first, then measured drift and skew."""
    rows = anomaly_rows(anomalies)
    parts = []
    if anomalies.data_missing:
        parts.append('<p class="vk-bad">There was no data to check.</p>')
    if rows:
        head = ("Feature", "Severity", "What is wrong", "In detail")
        parts.append(html.table(head, rows[:_MAX_ROWS], caption=_counted(rows), numbers=False))
    elif not anomalies.data_missing:
        parts.append("<p>No anomalies found.</p>")
    drift = drift_rows(anomalies)
    if drift:
        titles = ("Feature", "Compared", "Measure", "Value", "Threshold")
        parts.append(html.table(titles, drift[:_MAX_ROWS], caption="Drift and skew", numbers=False))
    return html.group("".join(parts), title=title)


def _counted(rows: list[tuple[str, str, str, str]]) -> str:
    return f"{len(rows):,} anomal{'ies' if len(rows) > 1 else 'y'}"


def anomaly_rows(anomalies: Any) -> list[tuple[str, str, str, str]]:
    """Returns feature, severity, short and long description, errors first."""
    found = [(_path(name, info), info) for name, info in anomalies.anomaly_info.items()]
    if anomalies.HasField("dataset_anomaly_info"):
        found.append(("(the whole data set)", anomalies.dataset_anomaly_info))
    found.sort(key=lambda each: (-each[1].severity, each[0]))
    return [
        (name, _severity(info), _text(info, "short_description"), _text(info, "description")) for name, info in found
    ]


def _path(name: str, info: Any) -> str:
    return ".".join(messages.steps_of(info.path)) or name


def _severity(info: Any) -> str:
    kinds = info.DESCRIPTOR.fields_by_name["severity"].enum_type.values_by_number
    return kinds[info.severity].name.lower() if info.severity else ""


def _text(info: Any, field: str) -> str:
    return getattr(info, field) or "; ".join(getattr(reason, field) for reason in info.reason)


def drift_rows(anomalies: Any) -> list[tuple[Any, ...]]:
    """Returns the measured distances between data sets."""
    rows = []
    for info in anomalies.drift_skew_info:
        name = ".".join(messages.steps_of(info.path))
        for kind, found in (("to the previous span", info.drift_measurements), ("to serving", info.skew_measurements)):
            for each in found:
                measure = each.DESCRIPTOR.fields_by_name["type"].enum_type.values_by_number[each.type].name
                rows.append((name, kind, _MEASURES.get(measure, measure), each.value, each.threshold))
    return rows


_MEASURES: Final = {
    "L_INFTY": "L-infinity distance",
    "JENSEN_SHANNON_DIVERGENCE": "Jensen-Shannon divergence",
    "NORMALIZED_ABSOLUTE_DIFFERENCE": "normalized absolute difference",
}
