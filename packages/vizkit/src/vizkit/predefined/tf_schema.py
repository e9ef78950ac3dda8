# /// script
# requires-python = ">=3.11"
# dependencies = ["tensorflow-metadata"]
# [tool.vizportal]
# key = "tf_schema"
# title = "Data schema (TFDV)"
# description = "What a TensorFlow Metadata schema says of each feature: type, presence, number of values, domain."
# artifact_types = ["Schema"]
# patterns = ["*schema*.pbtxt", "*schema*.pb"]
#
# [tool.vizportal.figures]
# features = { description = "Features of all schemas together." }
# ///
"""
Shows a schema of TensorFlow Data Validation as tables, in the manner of `tfdv.display_schema`.

**It reads** `schema.pbtxt` or the same in binary, or a folder with it, such as the artifact of a TFX SchemaGen.

**It shows** each feature's type, whether it must be there, how many values an example may have, and its domain (the values or
limits that are allowed), then every domain with its values.

Use it to see what data is checked against before you trust its anomalies.
"""
from vizkit import figure, html
from vizkit.files import source_files
from vizkit.statistics.read import load_schema
from vizkit.statistics.schema import draw_schema, schema_rows

paths = source_files(source, source_uri)
chosen = [path for path in paths if "schema" in path.name.lower()] or paths
found = [(path, load_schema(path)) for path in chosen[:8]]
figure("features", sum(len(schema_rows(each)[0]) for _, each in found))
for path, each in found:
    html.show(draw_schema(each, title=path.name if len(chosen) > 1 else ""))
