import pytest

from tests.models.server import serving


@pytest.fixture
def server():
    with serving() as server:
        yield server
