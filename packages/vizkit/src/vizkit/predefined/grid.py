# /// script
# requires-python = ">=3.11"
# dependencies = ["polars", "pillow"]
# [tool.vizportal]
# key = "grid"
# title = "Image and text grid"
# description = "Examples as cards: image files of a folder, or images, texts and labels of a table, with search, filter and pages."
# patterns = ["*.png", "*.jpg", "*.jpeg", "*.gif", "*.webp", "*.svg", "*images*", "*samples*"]
#
# [tool.vizportal.figures]
# examples = { description = "Number of examples in the source." }
#
# [tool.vizportal.arguments.image_column]
# type = "string"
# default = ""
# title = "Image column"
# description = "For a table: column with bytes, base64 or file paths in the source. Leave empty to use the first such column."
#
# [tool.vizportal.arguments.label_column]
# type = "string"
# default = ""
# title = "Label column"
# description = "Column to filter by. Leave empty to detect label, target, class or category. In a folder, subfolders are labels."
#
# [tool.vizportal.arguments.text_columns]
# type = "array"
# items = {type = "string"}
# title = "Text columns"
# description = "Other columns to show. Leave empty to show all."
#
# [tool.vizportal.arguments.size]
# type = "integer"
# minimum = 64
# maximum = 640
# default = 160
# title = "Image size"
# description = "Length of the longer side in pixels. Larger images are scaled down."
#
# [tool.vizportal.arguments.max_examples]
# type = "integer"
# minimum = 1
# maximum = 5000
# default = 600
# title = "Examples to embed"
# description = "Maximum number of examples, from the start of the source."
#
# [tool.vizportal.arguments.max_megabytes]
# type = "integer"
# minimum = 1
# maximum = 40
# default = 16
# title = "Megabytes to embed"
# description = "Maximum size of all examples. Further examples are left out, and the result says so."
# ///
"""
**Reads** a folder or pattern of images (PNG, JPEG, GIF, WebP, SVG; BMP and TIFF are converted to JPEG) and text files; or a table
(CSV, JSON, Parquet, Arrow and others) with columns of texts, labels, and images as bytes, base64 or paths of files in the same
source folder (such as `metadata.csv` of Hugging Face's ImageFolder).

**Shows** each example as a card: the image, scaled down if it is large, its label and caption, and the other columns.

**Use it** to look at a data set of images or texts, or at a model's predictions for them.
"""
from vizkit import figure, gallery

choice = gallery.Choice(variables["image_column"], variables["label_column"], tuple(variables.get("text_columns") or ()))
cards, total = gallery.read_cards(source, source_uri, choice, side=variables["size"])
figure("examples", total)
gallery.show_cards(
    cards, total, side=variables["size"], max_cards=variables["max_examples"], max_bytes=variables["max_megabytes"] * 1_000_000
)
