"""Every error that bnsearch raises on purpose.

    BnsearchError
    ├── UsageError        a command cannot be carried out as asked (unknown study, missing earlier stage, ...)
    ├── StudyFileError    a study file or an override breaks a rule
    ├── DataError         a data set is missing, damaged or of the wrong form
    │   └── DownloadError     it could not be fetched
    ├── SpaceError        a search space is empty or out of its limits
    ├── StoreError        the database or a file beside it cannot be used
    │   ├── LockedError       another process holds the study
    │   └── ChangedError      the stored study differs from the study file
    ├── ModelError        a model or state file is damaged
    └── WorkerError       a worker process died or failed

A message is one line: what must hold, what was received, what to do.
"""


class BnsearchError(Exception):
    """Base of all; the command line prints its text as one line and exits with 2."""


class UsageError(BnsearchError):
    """A command cannot be carried out as asked."""


class StudyFileError(BnsearchError):
    """A study file or an override breaks a rule; the message starts with the key's path."""


class DataError(BnsearchError):
    """A data set is missing, damaged or of the wrong form."""


class DownloadError(DataError):
    """A data set could not be fetched."""


class SpaceError(BnsearchError):
    """A search space is empty or out of its limits."""


class StoreError(BnsearchError):
    """The database or a file beside it cannot be used."""


class LockedError(StoreError):
    """Another process holds the study."""


class ChangedError(StoreError):
    """The stored study differs from the study file."""


class ModelError(BnsearchError):
    """A model or state file is damaged."""


class WorkerError(BnsearchError):
    """A worker process died or failed."""
