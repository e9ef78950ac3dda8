"""packages/client/README.md: the example works with a portal."""

import json
import re
import urllib.request

import pytest

from tests.docs.collecting import executes
from tests.docs.test_api_blocks import at_portal, token  # noqa: F401  (fixtures)


@pytest.mark.kernel
@executes("packages/client/README.md: from vizportal_client import Client")
def test_client_example_renders_compares_and_follows_a_series(block, served, token):  # noqa: F811
    listed = urllib.request.Request(
        f"{served.url}/api/v1/runs?q=tip-prediction&page_size=1", headers={"Authorization": f"Bearer {token}"}
    )
    [run] = json.load(urllib.request.urlopen(listed, timeout=60))["items"]
    for old, new in {"http://127.0.0.1:8000": served.url, "vzp_...": token, "0000-run-id": run["id"]}.items():
        assert old in block
        block = block.replace(old, new)
    names = {}
    exec(block, names)
    result = names["result"]
    assert re.fullmatch(r"[0-9a-f-]{36}", result.series_id)
    assert 0 <= result.figures["auc"] <= 1
    rows = names["rows"] if isinstance(names["rows"], list) else names["rows"].to_dict("records")
    assert {row["run_id"] for row in rows} >= {run["id"]}
    assert [row["change"] for row in names["same"] if row["name"] == "auc"] == [0]
    assert 'sandbox="allow-scripts"' in result._repr_html_()
    assert "<html" in result.html()
    names["client"].close()
