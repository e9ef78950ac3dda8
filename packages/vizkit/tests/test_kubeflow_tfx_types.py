"""The portal draws Kubeflow's TFDV and TFMA views itself, since their widgets load from the internet."""

import pytest
from vizkit.types import registry

from packages.vizkit.tests.examples_tfx import KUBEFLOW_DATA
from packages.vizkit.tests.independent import compute

pytestmark = [pytest.mark.kernel, pytest.mark.slow]
FACETS = r'''
import base64
import tensorflow_data_validation as tfdv
from IPython.display import display
from IPython.display import HTML
from tensorflow_metadata.proto.v0 import statistics_pb2

found = statistics_pb2.DatasetFeatureStatisticsList()
found.datasets.add().MergeFrom(tfdv.load_statistics(source).datasets[0])
template = r"""<iframe id='facets-iframe' width="100%" height="500px"></iframe><script>
facets_html = '<script src="https://cdnjs.test/wc.js"><\/script>'
    + '<facets-overview proto-input="protostr"></facets-overview>';
</script>"""
display(HTML(template.replace("protostr", base64.b64encode(found.SerializeToString()).decode("utf-8"))))
display(HTML("<b>other markup</b>"))
'''
SLICES = """
import tensorflow_model_analysis as tfma
tfma.view.render_slicing_metrics(source, slicing_column=variables.get("slicing_column", None))
"""
COUNT = 'answer = {each: int((frame["kind"] == each).sum()) for each in "ab"}'


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "types"
    found.mkdir()
    (found / "facets.py").write_text(FACETS)
    (found / "slices.py").write_text(SLICES)
    return found


@pytest.mark.browser
def test_content_of_tfdv_and_tfma_widgets_is_drawn_offline(draw, opened, folder, tmp_path):
    counts = compute("tfx", KUBEFLOW_DATA + COUNT, tmp_path)
    outcome, page = draw("", tmp_path / "stats.tfrecord", kind=registry.get("facets", [folder]))
    assert outcome.state == "succeeded", outcome.traceback
    found = opened(page, environment="tfx")
    words = found.page.inner_text("main")
    assert "300 examples" in words
    assert "prediction" in words
    assert "other markup" in words
    assert found.page.locator("iframe").count() == 0
    assert found.faults == []
    outcome, page = draw("", tmp_path / "evaluation", kind=registry.get("slices", [folder]), slicing_column="kind")
    assert outcome.state == "succeeded", outcome.traceback
    words = opened(page, environment="tfx").page.inner_text("main")
    for name, count in counts.items():
        assert f"kind: {name}\t{count}" in words
