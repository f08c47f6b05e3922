"""What each of several processes does at once; apart, so that a process imports no more than it needs."""

from bnsearch.search.store import open_store


def make_one(url: str, i: int) -> str:
    """Open the database, make a study of one's own, and write into it."""
    store = open_store(url, f"study{i}")
    try:
        study = store.create("coarse", {"setup": {}, "seed": 0})
        study.set_user_attr("i", i)
        return study.study_name
    finally:
        store.close()
