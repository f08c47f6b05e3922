"""Addresses of databases, rightly written and not: a password is never shown."""

from pathlib import Path
from urllib.parse import quote, quote_plus

from hypothesis import strategies as st

from bnsearch.errors import BnsearchError
from bnsearch.search.address import hide_passwords, sqlite_path, without_password
from bnsearch.search.store import open_store
from tests.fuzz.guard import check_line

LETTERS = "kqzwj"  # in no other word here
SCHEMES = [
    "postgresql+pg8000://",
    "postgresql+psycopg2://",
    "mysql+pymysql://",
    "mssql://",
    "oracle9://",
    "redis://",
    "://",
]
MISTAKES = ["postgresql//", "postgresql:/", "postgresql:", "", "//"]


@st.composite
def _addresses(draw: st.DrawFn) -> tuple[str, str]:
    """An address and the part of its password that nothing else could have."""
    secret = draw(st.text(LETTERS, min_size=4, max_size=8))
    around = st.text("0123@:/?#&%= ;+ä'\"{}[]\\", max_size=3)
    password = draw(around) + secret + draw(around)
    form = draw(st.sampled_from([str, quote, quote_plus, lambda text: quote(text, safe="")]))
    scheme = draw(st.sampled_from(SCHEMES) | st.sampled_from(MISTAKES))
    host = draw(st.sampled_from(["db.example.org", "db.example.org:5432", "", "[::1]:5432"]))
    name = draw(st.sampled_from(["/studies", "", "/studies?sslmode=require"]))
    user = draw(st.sampled_from(["me:", "me:", ":", "a%40b:"]))
    match draw(st.sampled_from(["user", "user", "option"])):
        case "user":
            return f"{scheme}{user}{form(password)}@{host}{name}", secret
        case _:
            option = draw(st.sampled_from(["password", "passwd", "sslpassword", "PWD", "secret_token"]))
            value = quote_plus(password)
            return f"{scheme}me@{host}{name.partition('?')[0]}?{option}={value}", secret


def inputs() -> st.SearchStrategy[bytes]:
    """Both in one, so that all targets are alike."""
    return _addresses().map(lambda pair: "\0".join(pair).encode())


def check(content: bytes, folder: Path) -> bool:
    """Neither what is shown nor what is refused has the password."""
    url, secret = content.decode().split("\0")
    assert secret not in without_password(url), without_password(url)
    assert secret not in hide_passwords(f"could not connect to {url}", url)
    try:
        assert sqlite_path(url) is None
        open_store(url, "tiny").close()  # no driver for any of them is installed
    except BnsearchError as error:
        check_line(error, secret)
        cause: BaseException | None = error
        while cause is not None:
            assert secret not in hide_passwords(str(cause), url)
            cause = cause.__cause__ or cause.__context__
        return False
    return True
