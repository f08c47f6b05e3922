"""Databases cut off, written over, or of something else."""

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import strategies as st

from bnsearch.errors import BnsearchError
from bnsearch.search.session import existing_store
from bnsearch.search.stages import status
from tests.fuzz.guard import check_line
from tests.fuzz.mutation import spoilt
from tests.helpers import LEVEL
from tests.search.helpers import run, tiny

PAGE = 4096
STATEMENTS = [
    "DROP TABLE {t}",
    "DELETE FROM {t}",
    "ALTER TABLE {t} RENAME TO other",
    "CREATE TABLE mine (a)",
    "UPDATE alembic_version SET version_num = 'v0.9.0.a'",
    "UPDATE alembic_version SET version_num = 'x'",
    "UPDATE version_info SET schema_version = 7",
    "DELETE FROM alembic_version",
]
ROWS = {  # columns that hold what bnsearch or Optuna wrote of a study
    "study_user_attributes": ("value_json", "key"),
    "trial_user_attributes": ("value_json", "key"),
    "trial_params": ("distribution_json", "param_name", "param_value"),
    "trial_values": ("value", "value_type"),
    "trial_intermediate_values": ("step", "intermediate_value_type"),
    "trials": ("state", "number", "datetime_start"),
    "studies": ("study_name",),
    "study_directions": ("direction",),
}
CELLS = ["x", '"x"', "3", "[1]", "{}", "null", "[]", "-1", "1e999", "FOO", "RUNNING", None, '{"a": {"low": 1}}', ""]
TABLES = ["studies", "trials", "trial_values", "trial_params", "version_info", "alembic_version", "study_directions"]


@cache
def whole_database() -> bytes:
    """That of a finished study."""
    with TemporaryDirectory() as folder:
        study = tiny(Path(folder), text=LEVEL)
        run(study, "coarse", "fine", "confirm", "final")
        return Path(folder, "tiny.db").read_bytes()


@st.composite
def cut_or_overwritten(draw: st.DrawFn) -> bytes:
    """Pages of zeros, of others, or of nothing."""
    content = bytearray(whole_database())
    n_pages = len(content) // PAGE
    for _ in range(draw(st.integers(1, 3))):
        page, other = draw(st.integers(0, n_pages - 1)) * PAGE, draw(st.integers(0, n_pages - 1)) * PAGE
        match draw(st.sampled_from(["zeros", "other", "cut", "garbage", "half"])):
            case "zeros":
                content[page : page + PAGE] = bytes(PAGE)
            case "other":
                content[page : page + PAGE] = content[other : other + PAGE]
            case "cut":
                del content[page:]
                content.extend(bytes(1) * draw(st.sampled_from([0, 0, 100, PAGE])))
            case "garbage":
                content[page : page + PAGE] = draw(st.binary(min_size=1, max_size=8)) * (PAGE // 2)
            case "half":
                content[page + PAGE // 2 : page + PAGE] = bytes(PAGE // 2)
        n_pages = max(len(content) // PAGE, 1)
    return bytes(content)


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """Tables that are gone, empty or renamed."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.db")
        path.write_bytes(whole_database())
        connection = sqlite3.connect(path)
        for _ in range(draw(st.integers(1, 2))):
            statement = draw(st.sampled_from(STATEMENTS)).format(t=draw(st.sampled_from(TABLES)))
            try:
                connection.execute(statement)
            except sqlite3.OperationalError:  # the table is gone
                continue
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return path.read_bytes()


@st.composite
def altered(draw: st.DrawFn) -> bytes:
    """Rows that hold something else, or are gone."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.db")
        path.write_bytes(whole_database())
        with closing(sqlite3.connect(path)) as connection:
            for _ in range(draw(st.integers(1, 3))):
                table = draw(st.sampled_from(list(ROWS)))
                rows = [row for (row,) in connection.execute(f"SELECT rowid FROM {table}")]
                if not rows:
                    continue
                row, column = draw(st.sampled_from(rows)), draw(st.sampled_from([*ROWS[table], ""]))
                if column:
                    edit, values = (
                        f"UPDATE OR IGNORE {table} SET {column} = ? WHERE rowid = ?",
                        (draw(st.sampled_from(CELLS)), row),
                    )
                else:
                    edit, values = f"DELETE FROM {table} WHERE rowid = ?", (row,)
                connection.execute(edit, values)
            connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.read_bytes()


def inputs() -> st.SearchStrategy[bytes]:
    """What lies where a study's database should."""
    return cut_or_overwritten() | spoilt(whole_database()) | changed() | altered() | st.binary(max_size=200)


def check(content: bytes, folder: Path) -> bool:
    """What the study is, or a refusal; and nothing is written. A search goes on, or is refused too."""
    study = tiny(folder, text=LEVEL)
    path = folder / "tiny.db"
    path.write_bytes(content)
    try:
        with existing_store(study, None) as store:
            rows = status(store, "tiny")
    except BnsearchError as error:
        check_line(error)
        return False
    finally:
        assert path.read_bytes() == content
        assert sorted(p.name for p in folder.iterdir()) == ["tiny.db", "tiny.toml"]
    try:
        run(study, "coarse")
    except BnsearchError as error:
        check_line(error)
        return False
    return bool(rows)
