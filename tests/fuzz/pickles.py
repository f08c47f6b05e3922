"""Batch files of CIFAR-10: their instructions changed, and spoilt; archives of them."""

import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from bnsearch.data import cifar10
from bnsearch.errors import BnsearchError
from tests.data.batches import array, batch, rows, text
from tests.fuzz.guard import check_line, only_in
from tests.fuzz.mutation import spoilt, spoilt_or_raw

N_ROWS = 20
PIECES = [
    b"cnumpy.core.multiarray\n_reconstruct\n",
    b"cnumpy\nndarray\n",
    b"cnumpy\ndtype\n",
    *(b"cos\nsystem\n", b"c__builtin__\neval\n", b"\x8c\x02os\x8c\x06system\x93", b"(U\x04trueios\nsystem\n"),
    *(b"R", b"b", b"o", b"\x81", b"\x82\xf0", b"P1\n", b"Q", b"0", b"1", b"2", b"(", b")", b"]", b"}", b"\x8f", b"t"),
    *(b"\x85", b"\x86", b"\x87", b"a", b"e", b"s", b"u", b"N", b"\x88", b"\x89", b"K\x01", b"J\xff\xff\xff\xff"),
    *(
        b"U\x02u1",
        b"U\x01O",
        b"U\x04data",
        b"U\x06labels",
        b"h\x01",
        b"q\x01",
        b"j\xff\xff\xff\x7f",
        b"r\xff\xff\xff\x7f",
    ),
    *(
        b"\x8a\x04\xff\xff\xff\x7f",
        b"T\xff\xff\xff\x7f",
        b"X\x01\x00\x00\x00a",
        b"\x94",
        b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f",
    ),
    *(
        b"G?\xf0\x00\x00\x00\x00\x00\x00",
        b"I1\n",
        b"L1L\n",
        b"F1.0\n",
        b"S'a'\n",
        b"Va\n",
        b"B\x01\x00\x00\x00a",
        b"\x80\x05",
    ),
]


@st.composite
def programs(draw: st.DrawFn) -> bytes:
    """A batch whose parts are changed, left out, or run through by other instructions."""
    X, y = rows(1)
    labels: Any = draw(st.sampled_from([y, y, y, y[1:], [], [11] * N_ROWS, [255] * N_ROWS]))
    pixels = draw(st.sampled_from([X, X, X, X[1:], X[:, 1:], X[:0]]))
    parts = [
        *(b"\x80\x02}q\x01(", text("labels"), b"](", *(b"K" + bytes([label]) for label in labels), b"e"),
        *(text("data"), array(pixels), b"u."),
    ]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(parts) - 1))
        match draw(st.sampled_from(["insert", "insert", "replace", "remove", "swap"])):
            case "insert":
                parts.insert(at, draw(st.sampled_from(PIECES)))
            case "replace":
                parts[at] = draw(st.sampled_from(PIECES))
            case "remove" if len(parts) > 1:
                parts.pop(at)
            case "swap":
                other = draw(st.integers(0, len(parts) - 1))
                parts[at], parts[other] = parts[other], parts[at]
    return b"".join(parts)


def batch_inputs() -> st.SearchStrategy[bytes]:
    """What a batch file may hold."""
    many = st.lists(st.sampled_from(PIECES), max_size=12).map(lambda parts: b"\x80\x02" + b"".join(parts) + b".")
    return programs() | programs() | spoilt_or_raw(batch(*rows(1))) | many


def check_batch(content: bytes, folder: Path) -> bool:
    """Rows, or a refusal; nothing runs."""
    path = folder / "data_batch_1"
    path.write_bytes(content)
    try:
        with only_in(folder):
            X, y = cifar10.read_batch(path, N_ROWS)
    except BnsearchError as error:
        check_line(error)
        return False
    assert X.shape == (N_ROWS, cifar10.N_PIXELS)
    assert X.dtype == np.uint8
    assert set(y.tolist()) <= set(range(10))
    return True


NAMES = st.sampled_from(
    [
        *(f"{cifar10.FOLDER}/{name}" for name in (*cifar10.TRAIN_FILES, cifar10.TEST_FILE, "link", "readme.html")),
        *(cifar10.FOLDER, "..", "../evil", "/tmp/evil", f"{cifar10.FOLDER}/../evil", f"{cifar10.FOLDER}/..", "other/x"),
        *(
            f"{cifar10.FOLDER}/link/evil",
            f"./{cifar10.FOLDER}/x",
            f"{cifar10.FOLDER}/a\nb",
            "",
            ".",
            "~/evil",
            "C:\\evil",
        ),
    ]
)
KINDS = [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]


@st.composite
def tars(draw: st.DrawFn) -> bytes:
    """The six files, and others that should not be there."""
    members = [tarfile.TarInfo(f"{cifar10.FOLDER}/{name}") for name in (*cifar10.TRAIN_FILES, cifar10.TEST_FILE)]
    for _ in range(draw(st.integers(0, 3))):
        member = tarfile.TarInfo(draw(NAMES))
        member.type = draw(st.sampled_from([tarfile.REGTYPE, *KINDS]))
        member.linkname = draw(NAMES | st.sampled_from(["/", "../..", "/etc/passwd"]))
        member.mode = draw(st.sampled_from([0o644, 0o4755, 0o000]))
        members.insert(draw(st.integers(0, len(members))), member)
    file = io.BytesIO()
    form = draw(st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
    with tarfile.open(fileobj=file, mode=draw(st.sampled_from(["w", "w:gz"])), format=form) as tar:
        for member in members:
            member.size = 4 if member.isreg() else 0
            tar.addfile(member, io.BytesIO(b"data"))
    return file.getvalue()


def tar_inputs() -> st.SearchStrategy[bytes]:
    """What the archive may hold."""
    return tars() | tars() | tars().flatmap(spoilt) | st.binary(max_size=300)


def check_tar(content: bytes, folder: Path) -> bool:
    """The folder of batch files and nothing else, or a refusal and nothing at all."""
    into = folder / "outer" / "cache"
    into.mkdir(parents=True, exist_ok=True)
    archive = into / "cifar.tar.gz"
    archive.write_bytes(content)
    try:
        with only_in(into):
            cifar10.unpack(archive, into)
    except BnsearchError as error:
        check_line(error)
        assert [path.name for path in into.iterdir()] == ["cifar.tar.gz"]
        return False
    finally:
        assert [path.name for path in folder.iterdir()] == ["outer"]
        assert [path.name for path in into.parent.iterdir()] == ["cache"]
    found = list((into / cifar10.FOLDER).iterdir())
    assert all(path.is_file() and not path.is_symlink() for path in found)
    return True
