"""A render host imports everything that common types need from the toolkit before it forks."""

import re

import pytest
from vizkit.types import registry

pytestmark = pytest.mark.kernel
ROWS = "y_true,y_score\n" + "".join(f"{n % 2},{n / 40}\n" for n in range(40))
BEFORE = "import sys\nbefore = set(sys.modules)\n# %%\n"
AFTER = "\n# %%\nprint('imported:', *sorted(each for each in set(sys.modules) - before if 'vizkit' in each))"


@pytest.mark.parametrize("key", ["table", "roc_curve", "precision_recall", "calibration"])
def test_render_imports_no_more_toolkit_modules(draw, tmp_path, key):
    (tmp_path / "rows.csv").write_text(ROWS)
    outcome, page = draw(key, tmp_path / "rows.csv", code=f"{BEFORE}{registry.get(key).code}{AFTER}")
    assert outcome.state == "succeeded", outcome.traceback
    assert re.search(r">imported:([^<]*)<", page)[1].strip() == ""
