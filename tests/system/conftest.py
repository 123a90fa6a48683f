import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))


@pytest.fixture(scope="session")
def killer(tmp_path_factory):
    """A library to preload that ends a process at its n-th change of a file system."""
    out = tmp_path_factory.mktemp("killer") / "kill.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", out, pathlib.Path(__file__).parents[1] / "kill.c", "-ldl"], check=True)
    return out
