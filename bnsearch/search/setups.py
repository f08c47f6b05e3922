"""The names of the stages and of their Optuna studies, and what each stage does and trains."""

from typing import Literal

from pydantic import BaseModel

from bnsearch.search.tables import (
    CompareTable,
    ConfirmTable,
    DataTable,
    FinalTable,
    NetworkTable,
    SearchTable,
    TrainingTable,
)

Stage = Literal["coarse", "fine", "confirm", "final"]
STAGES: tuple[Stage, ...] = ("coarse", "fine", "confirm", "final")
SearchStage = Literal["coarse", "fine"]
Level = Literal["coarse", "fine", "fine2"]  # fine2: fine goes on beyond an end of its box
LEVELS: tuple[Level, ...] = ("coarse", "fine", "fine2")
STAGE_OF: dict[str, Stage] = {  # of each Optuna study NAME.…: whose tables it follows, and with which it is deleted
    "coarse": "coarse",
    "fine": "fine",
    "fine2": "fine",
    "confirm": "confirm",
    "final": "final",
}
STUDIES = tuple(STAGE_OF)
Comparing = Literal["compare"]
COMPARE: Comparing = "compare"  # beside the chain: it builds on no stage, and none builds on it
NAMES = (*STUDIES, COMPARE)  # of all Optuna studies
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
    compare: CompareTable | None = None
