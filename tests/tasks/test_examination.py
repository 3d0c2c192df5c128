"""What `verify` asks of a task before anything is sandboxed: nothing to complain of in any task.

Measurements that do not train are made with the reference, and with programs that know nothing.
"""

import pytest

from harness.proving.examination import Examined, examined
from tests.support.programs import TASKS, load


@pytest.mark.parametrize("name", TASKS)
def test_verify_has_nothing_against_its_texts_and_its_measurements(name):
    """The rules are those of harness/proving/texts.py and reach.py, tried in tests/proving."""
    assert examined(load(name)) == Examined()
