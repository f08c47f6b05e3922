"""What `import bnsearch` promises, and what it costs."""

import subprocess
import sys
from pathlib import Path

import pytest

import bnsearch

HEAVY = {"optuna", "sklearn", "pandas", "scipy", "sqlalchemy", "plotly", "pyarrow", "pydantic", "rich", "jinja2", "PIL"}


def test_public_names() -> None:
    assert bnsearch.__all__ == ["BnsearchError", "Model", "Objective", "__version__", "load_model"]
    for name in bnsearch.__all__:
        assert getattr(bnsearch, name) is getattr(bnsearch, name)
    assert bnsearch.__version__.count(".") == 2


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'train'"):
        _ = bnsearch.train


def test_names_are_those_of_their_modules() -> None:
    from bnsearch.errors import BnsearchError
    from bnsearch.model import Model, load_model
    from bnsearch.search.objective import Objective

    assert bnsearch.BnsearchError is BnsearchError
    assert (bnsearch.Model, bnsearch.load_model, bnsearch.Objective) == (Model, load_model, Objective)


LOADED = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
HELP = "from bnsearch.cli import commands; commands(['{}', '--help'], standalone_mode=False)".format


@pytest.mark.parametrize(
    ("code", "prints"),
    [
        ("import bnsearch, bnsearch.cli, bnsearch.errors", False),
        (HELP("run").replace("'run', ", ""), True),
        (HELP("run"), True),
        (HELP("status"), True),
        (HELP("report"), True),
    ],
)
def test_start_is_light_and_silent(tmp_path: Path, code: str, prints: bool) -> None:
    """Nothing heavy is imported, nothing is written, and nothing is printed but what was asked for."""
    command = [sys.executable, "-W", "error", "-c", f"{code}; {LOADED}"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert not HEAVY & set(result.stderr.split())
    assert "Usage:" in result.stdout if prints else not result.stdout
    assert len(result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_import_of_everything_writes_and_prints_nothing(tmp_path: Path) -> None:
    """Not even a cache folder, a seed or a setting of NumPy."""
    code = """
import importlib, pkgutil
import numpy as np
errors, state = np.geterr(), str(np.random.get_state())
import bnsearch
for module in pkgutil.walk_packages(bnsearch.__path__, "bnsearch."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
assert np.geterr() == errors and str(np.random.get_state()) == state
"""
    command = [sys.executable, "-W", "error", "-c", code]
    environment = {"HOME": str(tmp_path / "home"), "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
