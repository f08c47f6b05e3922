"""Own data: tables and archives of odd columns, spoilt ones, and other files under their names."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnsearch.data import files
from bnsearch.errors import BnsearchError
from tests.fuzz.guard import check_line, only_in
from tests.fuzz.mutation import spoilt, spoilt_or_raw

N_ROWS = 12
LABELS = ["label", "label", "label", "y", "x0", "", "label.1"]
CELLS = st.one_of(
    st.floats(width=32).map(repr),
    st.integers(-9, 9).map(str),
    st.sampled_from(
        [
            "",
            "nan",
            "inf",
            "-inf",
            "1e999",
            "0x10",
            "1,5",
            '"',
            "'",
            "a",
            "true",
            "2020-01-01",
            "1_000",
            "\0",
            "10" * 40,
        ]
    ),
    st.text(max_size=4),
)


@st.composite
def csv_files(draw: st.DrawFn) -> bytes:
    """Mostly a good table: few odd cells, two or three classes."""
    n_columns = draw(st.integers(0, 3))
    header = [f"x{i}" for i in range(n_columns)]
    header.insert(draw(st.integers(0, n_columns)), draw(st.sampled_from(LABELS)))
    rows = [
        [str((7 * i + j) % 5 / 2) if name.startswith("x") else "abc"[i % 3] for j, name in enumerate(header)]
        for i in range(N_ROWS)
    ]
    for _ in range(draw(st.integers(0, 3))):
        row = draw(st.sampled_from([header, *rows]))
        match draw(st.sampled_from(["cell", "cell", "more", "less"])):
            case "cell" if row:
                row[draw(st.integers(0, len(row) - 1))] = draw(CELLS)
            case "more":
                row.append(draw(CELLS))
            case "less" if row:
                row.pop()
    file = io.StringIO()
    dialect = draw(st.sampled_from([{}, {}, {}, {"delimiter": ";"}, {"delimiter": "\t"}, {"quoting": csv.QUOTE_ALL}]))
    csv.writer(file, **dialect).writerows([header, *rows])
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"]))
    return file.getvalue().encode(encoding, errors="replace")


def csv_inputs() -> st.SearchStrategy[bytes]:
    """What a .csv file may hold."""
    return csv_files() | csv_files() | csv_files().flatmap(spoilt) | st.binary(max_size=300) | st.just(b"")


COLUMNS: list[tuple[Callable[[int], Any], Any]] = [
    (lambda i: i * 0.5, pa.float64()),
    (lambda i: i * 0.5, pa.float32()),
    (lambda i: np.float16(i), pa.float16()),
    (lambda i: i, pa.int64()),
    (lambda i: i, pa.uint8()),
    (lambda i: 2**63 + i, pa.uint64()),
    (lambda i: i % 2 == 0, pa.bool_()),
    (lambda i: "abc"[i % 3], pa.string()),
    (lambda i: "abc"[i % 3], pa.large_string()),
    (lambda i: "abc"[i % 3].encode(), pa.binary()),
    (lambda i: "abc"[i % 3], pa.dictionary(pa.int8(), pa.string())),
    (lambda i: Decimal(i), pa.decimal128(10, 2)),
    (lambda i: datetime(2020, 1, 1 + i), pa.timestamp("ns")),
    (lambda i: date(2020, 1, 1 + i), pa.date32()),
    (lambda i: [i, i], pa.list_(pa.int64())),
    (lambda i: {"a": i}, pa.struct([("a", pa.int64())])),
    (lambda i: None, pa.null()),
    (lambda i: None if i == 3 else i, pa.int32()),
    (lambda i: float("nan") if i == 3 else float(i), pa.float64()),
    (lambda i: -i - 1, pa.int8()),
]


@st.composite
def parquet_files(draw: st.DrawFn) -> bytes:
    """Columns of all kinds."""
    kinds = draw(st.lists(st.sampled_from(COLUMNS[:5]) | st.sampled_from(COLUMNS), min_size=0, max_size=3))
    names = [draw(st.sampled_from([f"x{i}", f"x{i}", "x0", ""])) for i in range(len(kinds))]
    labels = draw(st.sampled_from([COLUMNS[7], COLUMNS[7], COLUMNS[6], (lambda i: i % 3, pa.int64()), *COLUMNS]))
    n_rows = draw(st.sampled_from([N_ROWS, N_ROWS, N_ROWS, 0, 1, 2]))
    columns = [(names[i], *kind) for i, kind in enumerate(kinds)] + [(draw(st.sampled_from(LABELS)), *labels)]
    arrays = [pa.array([make(i) for i in range(n_rows)], kind) for _, make, kind in columns]
    table = pa.Table.from_arrays(arrays, names=[name for name, _, _ in columns])
    if draw(st.booleans()):
        table = table.replace_schema_metadata(
            {"pandas": draw(st.sampled_from(["{}", "[]", "x", '{"index_columns": ["x0"]}']))}
        )
    file = io.BytesIO()
    pq.write_table(table, file, compression=draw(st.sampled_from(["NONE", "SNAPPY", "GZIP", "ZSTD"])))
    return file.getvalue()


def parquet_inputs() -> st.SearchStrategy[bytes]:
    """What a .parquet file may hold."""
    return parquet_files() | parquet_files().flatmap(spoilt) | st.binary(max_size=300)


DTYPES = st.sampled_from(
    [
        "f4",
        "f8",
        "f8",
        "u1",
        "i8",
        "i4",
        "b1",
        "f2",
        ">f8",
        "u8",
        "U3",
        "U1",
        "S3",
        "c16",
        "M8[s]",
        "f4,i4",
        "V4",
        "f16",
    ]
)
SHAPES = st.sampled_from(
    [(N_ROWS, 3), (N_ROWS, 3), (N_ROWS, 2, 2), (N_ROWS,), (3, N_ROWS), (0, 3), (N_ROWS, 0), (), (2, 3)]
)


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """Arrays of all kinds, under the names that are looked for and others."""
    arrays: dict[str, bytes] = {
        "X.npy": _npy(draw(hnp.arrays("f8", (N_ROWS, 3), elements=st.floats(-9, 9)))),
        "y.npy": _npy(np.arange(N_ROWS) % 3),
    }
    if draw(st.booleans()):
        arrays |= {"X_test.npy": _npy(np.ones((4, 3))), "y_test.npy": _npy(np.arange(4) % 3)}
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from([*arrays, "X", "y", "../evil.npy", "/evil.npy", "z.npy", "x.npy", "X.npy.npy"]))
        match draw(st.sampled_from(["array", "array", "spoilt", "gone", "header"])):
            case "array":
                arrays[name] = _npy(np.zeros(draw(SHAPES), draw(DTYPES)))
            case "spoilt" if name in arrays:
                arrays[name] = draw(spoilt(arrays[name], 2))
            case "gone":
                arrays.pop(name, None)
            case "header":
                arrays[name] = _header(draw(st.sampled_from(HEADERS))) + bytes(96)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))) as archive:
        for name, content in arrays.items():
            archive.writestr(name, content)
    return file.getvalue()


HEADERS = [
    "{'descr': '|O', 'fortran_order': False, 'shape': (12, 3), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 3), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-12, 3), }",
    "{'descr': '<f8', 'fortran_order': 0, 'shape': (12, 1), }",
    "{'descr': '<f8', 'fortran_order': True, 'shape': (12,), }",
    "{'descr': '<U4000000000', 'fortran_order': False, 'shape': (12,), }",
    "{'descr': '<U0', 'fortran_order': False, 'shape': (12,), }",
    "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (12,), }",
    "{'descr': '<f8', 'shape': (12,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (12.0,), }",
    "__import__('os').getcwd()",
    "(" * 900,
]


def _header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + (len(text) + 1).to_bytes(2, "little") + text.encode() + b"\n"


def _npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


PICKLE = b"\x80\x02cos\ngetcwd\n)R."


def archive_inputs() -> st.SearchStrategy[bytes]:
    """What a .npz file may hold."""
    return archives() | archives().flatmap(spoilt) | spoilt_or_raw(PICKLE) | st.just(_npy(np.zeros((12, 3))))


def check(content: bytes, folder: Path, suffix: str) -> bool:
    """Training and test rows, or a refusal."""
    path = folder / f"table{suffix}"
    path.write_bytes(content)
    try:
        with only_in(folder):
            data = files.load(path)
            X, y = data.read_test()
    except BnsearchError as error:
        check_line(error)
        return False
    assert data.X.ndim == X.ndim == 2
    assert data.X.dtype == X.dtype
    assert np.isfinite(data.X).all()
    assert np.isfinite(X).all()
    assert {*data.y.tolist(), *y.tolist()} <= set(range(len(data.classes)))
    return True
