# /// script
# requires-python = ">=3.11"
# dependencies = ["tensorflow-metadata"]
# [tool.vizportal]
# key = "tf_schema"
# title = "Data schema (TFDV)"
# description = "Features of a TensorFlow Metadata schema: type, presence, number of values and domain."
# artifact_types = ["Schema"]
# patterns = ["*schema*.pbtxt", "*schema*.pb"]
#
# [tool.vizportal.figures]
# features = { description = "Number of features in all schemas." }
# ///
"""
Shows a schema of TensorFlow Data Validation as tables, like `tfdv.display_schema`.

**Reads** `schema.pbtxt` or its binary form, or a folder with it, such as the artifact of a TFX SchemaGen.

**Shows** the type of each feature, whether it is required, how many values an example can have, and its domain (the allowed values
or limits); then every domain with its values.

**Use it** to see which rules data is checked against before you rely on its anomalies.
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
