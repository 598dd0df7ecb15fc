"""The tests of this room share one tiny encoder; none of them runs without torch."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra `transformer` is not installed")
pytest.importorskip("transformers", reason="the extra `transformer` is not installed")


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.learning.neural.tiny import make_bert

    return make_bert(tmp_path_factory.mktemp("encoders") / "bert")
