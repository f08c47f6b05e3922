"""The names of the stages, and what each of them does and trains."""

from typing import Literal

from pydantic import BaseModel

from bnsearch.search.tables import ConfirmTable, DataTable, FinalTable, NetworkTable, SearchTable, TrainingTable

Stage = Literal["coarse", "fine", "confirm", "final"]
STAGES: tuple[Stage, ...] = ("coarse", "fine", "confirm", "final")
OVERRIDABLE = ("data", "network", "training")


class Setup(BaseModel, frozen=True, extra="forbid"):
    """What a stage trains: the base tables with the stage's overrides applied."""

    data: DataTable
    network: NetworkTable
    training: TrainingTable

    def default_setting(self) -> dict[str, float]:
        """All three hyperparameters as these tables set them."""
        training = self.training
        return {"l2": training.l2, "learning_rate": training.learning_rate, "momentum": training.momentum}


class StageTables(BaseModel, frozen=True, extra="forbid"):
    """What a stage does."""

    coarse: SearchTable
    fine: SearchTable
    confirm: ConfirmTable
    final: FinalTable
