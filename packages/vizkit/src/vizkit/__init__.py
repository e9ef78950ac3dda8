"""Visualization types, and the toolkit that their code imports.

The modules in this folder are the toolkit. Code of a type imports them in a render: reading a source, drawing figures,
writing HTML. `figure` leaves a key figure with the result. A type's file
stays one screen of code that says what it draws. Custom code may import the toolkit too. It
runs in every environment, so each module imports only what that module needs, and nothing of the portal.

`predefined/` has one file for each predefined type. `types/` reads the headers of type files; it runs in the portal.
"""

from pathlib import Path as _Path

from .key_figures import figure

__all__ = ["PREDEFINED_DIR", "STATIC_DIR", "TOOLKIT_DIR", "figure"]

# The folder that a render host is given as a toolkit.
TOOLKIT_DIR = _Path(__file__).parent
# Scripts and style sheets that pages of the types refer to.
STATIC_DIR = TOOLKIT_DIR / "static"
PREDEFINED_DIR = TOOLKIT_DIR / "predefined"
# Makes the first picture of a result's page: a program for a confined process of an environment that has vl-convert.
PICTURE_PROGRAM = TOOLKIT_DIR / "picture.py"
