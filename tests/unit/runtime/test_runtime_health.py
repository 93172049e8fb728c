"""A port that cannot be listened on is told before anything is started."""

import socket

import pytest

from runtime.errors import UsageError
from runtime.health import require_free


def test_a_port_that_somebody_has_is_refused() -> None:
    """With the setting and how ports are counted."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError) as told:
            require_free("127.0.0.1", port)

    assert str(told.value) == (
        f"http.metrics_port: 127.0.0.1:{port} cannot be used (Address already in use): choose free ones; "
        "process n listens on http.metrics_port + n"
    )


def test_a_number_behind_the_last_port_is_refused() -> None:
    """The seventh process of http.metrics_port 65530 has none, and would be started again for ever."""
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:65536 cannot be used \(no such port\)"):
        require_free("127.0.0.1", 65536)
