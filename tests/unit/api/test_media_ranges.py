"""Range headers."""

import pytest

from orchestrator.api.http.media import Part, requested_part
from orchestrator.domain.errors import PonteError


def test_a_range_is_read_as_http_says() -> None:
    assert requested_part("", 10) == Part(0, 10, whole=True)
    assert requested_part("bytes=-", 10) == Part(0, 10, whole=True)
    assert requested_part("bytes=-100", 10) == Part(0, 10)
    for header in ("bytes=10-", "bytes=-0"):
        with pytest.raises(PonteError):
            requested_part(header, 10)
