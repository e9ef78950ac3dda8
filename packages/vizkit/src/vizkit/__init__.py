"""Visualization types, and the toolkit that their code imports.

The modules in this folder are the toolkit. The code of a type imports them in a render: they read a source, draw
figures and write HTML. `figure` adds a key figure to the result. This keeps a type's file to one screen of code that
says what it draws. Custom code may import the toolkit too. The toolkit runs in every environment, so each module
imports only what that module needs, and nothing of the portal.

`predefined/` has one file for each predefined type. `types/` parses the headers of type files; it runs in the portal.
"""

from pathlib import Path as _Path

from .key_figures import figure

__all__ = ["PREDEFINED_DIR", "STATIC_DIR", "TOOLKIT_DIR", "figure"]

# The folder passed to a render host as a toolkit.
TOOLKIT_DIR = _Path(__file__).parent
# Scripts and style sheets that the types' pages refer to.
STATIC_DIR = TOOLKIT_DIR / "static"
PREDEFINED_DIR = TOOLKIT_DIR / "predefined"
# Extracts the first picture of a result's page; run as a confined process in an environment that has vl-convert.
PICTURE_PROGRAM = TOOLKIT_DIR / "picture.py"
