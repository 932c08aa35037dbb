import pytest
from sampling_maps import random_field


@pytest.fixture(scope="session")
def two_phases():
    return random_field(96, 8)
