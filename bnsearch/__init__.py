"""bnsearch: hyperparameter search for batch-normalised fully connected networks, trained together in NumPy.

    from bnsearch import Objective, load_model

Names are loaded when first used, so that the command line starts at once.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bnsearch.errors import BnsearchError
    from bnsearch.model import Model, load_model
    from bnsearch.search.objective import Objective

__version__ = "0.1.0"
__all__ = ["BnsearchError", "Model", "Objective", "__version__", "load_model"]

_HOMES = {
    "BnsearchError": "bnsearch.errors",
    "Model": "bnsearch.model",
    "load_model": "bnsearch.model",
    "Objective": "bnsearch.search.objective",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
