"""Valid files, spoilt: bits flipped, pieces cut out, doubled, put in, and numbers at the ends of their ranges."""

from hypothesis import strategies as st

NUMBERS = [
    n.to_bytes(width, "little", signed=n < 0)
    for width in (1, 2, 4, 8)
    for n in (0, 1, -1, 2 ** (8 * width - 1) - 1, 2 ** (8 * width) - 1, -(2 ** (8 * width - 1)))
]
TEXT = [
    b"\0",
    b"\n",
    b'"',
    b"'",
    b"[" * 50,
    b"{",
    b"}",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"../",
    b"1e999",
    b"nan",
    b"-",
    b",",
]


@st.composite
def spoilt(draw: st.DrawFn, whole: bytes, most: int = 6) -> bytes:
    """The bytes with up to `most` changes; sometimes none."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(0, most))):
        # near the beginning and the end lie the headers
        at = draw(st.integers(0, len(content)) | st.integers(0, min(len(content), 200)))
        at = draw(st.sampled_from([at, max(len(content) - at, 0)]))
        n = draw(st.sampled_from([1, 1, 1, 4, 8, 64, 4096]))
        match draw(st.sampled_from(["flip", "flip", "number", "cut", "double", "insert", "end", "move", "bytes"])):
            case "flip" if at < len(content):
                content[at] ^= 1 << draw(st.integers(0, 7))
            case "number":
                number = draw(st.sampled_from(NUMBERS))
                content[at : at + len(number)] = number
            case "cut":
                del content[at : at + n]
            case "double":
                content[at:at] = content[at : at + n]
            case "insert":
                content[at:at] = draw(st.sampled_from(TEXT))
            case "end":
                del content[at:]
            case "move":
                to = draw(st.integers(0, len(content)))
                content[to : to + n] = content[at : at + n]
            case "bytes":
                content[at : at + n] = draw(st.binary(max_size=8))
    return bytes(content)


def spoilt_or_raw(whole: bytes) -> st.SearchStrategy[bytes]:
    """Now and then anything."""
    return st.one_of(spoilt(whole), spoilt(whole), spoilt(whole), st.binary(max_size=300))
