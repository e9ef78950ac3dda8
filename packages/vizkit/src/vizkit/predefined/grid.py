# /// script
# requires-python = ">=3.11"
# dependencies = ["polars", "pillow"]
# [tool.vizportal]
# key = "grid"
# title = "Image and text grid"
# description = "Examples as cards: pictures of a folder, or a table's pictures, texts and labels, to search, filter and page through."
# patterns = ["*.png", "*.jpg", "*.jpeg", "*.gif", "*.webp", "*.svg", "*images*", "*samples*"]
#
# [tool.vizportal.figures]
# examples = { description = "Examples that the source holds." }
#
# [tool.vizportal.arguments.image_column]
# type = "string"
# default = ""
# title = "Image column"
# description = "Of a table: bytes, base64, or paths of files in the same source. Empty: the first column that holds any of them."
#
# [tool.vizportal.arguments.label_column]
# type = "string"
# default = ""
# title = "Label column"
# description = "What examples can be filtered by. Empty: a column named label, target, class or category. In a folder it is the sub-folder."
#
# [tool.vizportal.arguments.text_columns]
# type = "array"
# items = {type = "string"}
# title = "Text columns"
# description = "Which other columns to show; empty: all."
#
# [tool.vizportal.arguments.size]
# type = "integer"
# minimum = 64
# maximum = 640
# default = 160
# title = "Size of a picture"
# description = "The longer side in pixels; larger pictures are made smaller."
#
# [tool.vizportal.arguments.max_examples]
# type = "integer"
# minimum = 1
# maximum = 5000
# default = 600
# title = "Examples to embed"
# description = "The first ones of the source."
#
# [tool.vizportal.arguments.max_megabytes]
# type = "integer"
# minimum = 1
# maximum = 40
# default = 16
# title = "Megabytes to embed"
# description = "Where the pictures reach this, the rest is left out, and said so."
# ///
"""
**Reads** a folder or pattern of pictures (PNG, JPEG, GIF, WebP, SVG; BMP and TIFF are turned into JPEG) and text files; or a
table (CSV, JSON, Parquet, Arrow and others) whose columns hold texts, labels, and pictures as bytes, base64 or paths of files in
the same source folder (as `metadata.csv` of Hugging Face's ImageFolder does).

**Shows** each example as a card: the picture, made small where it is large, its label and caption, and its other columns.

**When to use:** to look at a data set of images or texts, or at what a model said about them.
"""
from vizkit import figure, gallery

choice = gallery.Choice(variables["image_column"], variables["label_column"], tuple(variables.get("text_columns") or ()))
cards, total = gallery.read_cards(source, source_uri, choice, side=variables["size"])
figure("examples", total)
gallery.show_cards(
    cards, total, side=variables["size"], max_cards=variables["max_examples"], max_bytes=variables["max_megabytes"] * 1_000_000
)
