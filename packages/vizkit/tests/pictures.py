"""Draws the pictures of the types for the documentation: `python -m packages.vizkit.tests.pictures [KEY ...]`.

Each picture shows the result of the type's example in Chromium, 900 pixels wide, in the light theme.
"""

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs" / "images" / "types"
WIDTH, MAX_HEIGHT, MAX_BYTES = 900, 560, 80_000
# Use the environment's Pillow, since the portal has none. Reduce the colours until the file is small enough.
REDUCE = f"""
import io, sys
from PIL import Image
picture = Image.open(sys.argv[1]).convert("RGB")
for colours in (256, 128, 64, 32, 16):
    buffer = io.BytesIO()
    picture.quantize(colours, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    if buffer.tell() <= {MAX_BYTES}:
        break
open(sys.argv[1], "wb").write(buffer.getvalue())
"""


def main(keys):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vizportal.settings")
    with tempfile.TemporaryDirectory(prefix="vizportal-pictures-") as name:
        os.environ |= {"VIZPORTAL_DATA_DIR": name, "ALLOW_CUSTOM_VISUALIZATIONS": "true", "VIZPORTAL_TYPES_DIRS": ""}
        import django

        django.setup()
        from vizkit.types import registry

        from packages.vizkit.tests.examples import all_examples
        from tests.chromium import chromium

        FOLDER.mkdir(parents=True, exist_ok=True)
        known = registry.types()
        pages = {key: _page(key, known[key], all_examples()[key], Path(name)) for key in keys or known}
        with chromium() as browser:
            for key, page in pages.items():
                print(key, _picture(browser, page, FOLDER / f"{key}.png"), "bytes")
        for path in FOLDER.glob("*.png"):
            if path.stem not in known:
                path.unlink()


def _page(key, kind, example, directory):
    """Returns the file of a rendered example."""
    import json

    from django.core.management import call_command

    folder = directory / f"example-{key}"
    folder.mkdir()
    source, given = example(folder)
    page = folder / "result.html"
    more = {}
    if kind.is_custom:
        more["code"] = folder / "code.py"
        more["code"].write_text(kind.code)
    arguments = [json.dumps(given)] if given else []
    call_command("visualize", key, source=str(source), arguments=arguments, output=page, stdout=io.StringIO(), **more)
    return page


def _picture(browser, page_path, path):
    context = browser.new_context(viewport={"width": WIDTH, "height": MAX_HEIGHT}, color_scheme="light", offline=True)
    page = context.new_page()
    page.goto(page_path.as_uri())
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    height = min(
        MAX_HEIGHT, page.evaluate("Math.ceil(document.querySelector('main').getBoundingClientRect().bottom) + 12")
    )
    page.screenshot(path=path, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
    context.close()
    interpreter = ROOT / ".environments" / "base" / "bin" / "python"
    subprocess.run([interpreter, "-c", REDUCE, path], check=True)
    return path.stat().st_size


if __name__ == "__main__":
    main(sys.argv[1:])
