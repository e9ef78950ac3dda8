"""`make sbom`: writes bills of materials in CycloneDX 1.5, one for each lock and one for the browser's libraries."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from locks import ROOT, export, projects


def browser_bill() -> dict[str, Any]:
    """Returns the bill of the JavaScript and icons in static/vendor, from its manifest."""
    manifest = json.loads((ROOT / "static" / "vendor" / "manifest.json").read_text(encoding="utf-8"))
    parts = {(part["name"], part["version"]): part for file in manifest.values() for part in file["from"]}
    components = [
        {
            "type": "library",
            "bom-ref": f"{name}@{version}",
            "name": name,
            "version": version,
            "purl": f"pkg:npm/{quote(name, safe='/')}@{version}",
            "licenses": [{"expression": part["licence"]}],
        }
        for (name, version), part in sorted(parts.items())
    ]
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}


def main(directory: Path) -> None:
    """Writes the bills of materials into a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    bills = {name: export(path, "cyclonedx1.5") for name, path in projects()}
    bills["browser"] = json.dumps(browser_bill(), indent=2) + "\n"
    for name, text in bills.items():
        path = directory / f"{name}.cdx.json"
        path.write_text(text, encoding="utf-8")
        print(f"{path}: {len(json.loads(text)['components'])} components")  # noqa: T201  (that is its output)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "sbom")
