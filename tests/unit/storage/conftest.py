import pytest

from daisy_bluesky.storage import open_catalog


@pytest.fixture(scope="session")
def catalog(tmp_path_factory):
    """An embedded catalog, and the data folder it is of."""
    folder = tmp_path_factory.mktemp("data")
    with open_catalog(folder) as catalog:
        yield catalog.client, folder
