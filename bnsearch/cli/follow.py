"""Show how a stage stands that another process runs."""

import time
from typing import TYPE_CHECKING

from bnsearch.cli.progress import progress

if TYPE_CHECKING:
    from bnsearch.search.following import Followed
    from bnsearch.search.progress import Progress

LOOK_SECONDS = 0.5


def follow(followed: "Followed") -> bool:
    """Show stage after stage until no process is at work on the study any longer; False where none was."""
    if not followed.is_at_work():
        return False
    with progress() as shown:
        name: str | None = None
        while followed.is_at_work():
            name = _look(followed, shown, name)
            time.sleep(LOOK_SECONDS)
        if _look(followed, shown, name) is not None:
            shown.end()
    return True


def _look(followed: "Followed", shown: "Progress", name: str | None) -> str | None:
    """Show the stage that is under way now; name: the one that was. Which it is."""
    views = followed.look()
    now = next((view.study for view in reversed(views.values()) if view.n_alive), None)
    if name is not None and now != name:
        if name in views:
            shown.show(views[name])
        shown.end()
    if now is not None:
        if now != name:
            shown.begin(now)
        shown.show(views[now])
    return now
