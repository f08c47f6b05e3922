"""The colours of pages and figures, light and dark, by what they mean.

Figures are made with the light ones; the page replaces each by its dark one where the reader prefers that. So no two
roles share a light colour. Hues are told apart with the common forms of colour blindness (after Okabe & Ito 2008), and
text has a contrast of at least 4.5 against the page.
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Colours:
    """One colour for each role."""

    paper: str
    panel: str  # behind what stands apart from the page
    line: str  # borders and grid lines
    ink: str  # text
    muted: str  # text beside what matters
    coarse: str
    fine: str
    fine2: str
    confirm: str
    final: str
    best: str
    second: str  # of selected trials, the first of which has that of the best
    third: str
    fourth: str
    stopped: str
    bad: str  # diverged, worse
    low: str  # the ends of a scale, and its middle, on which either text has a contrast of 4.5
    middle: str
    high: str
    on_low: str  # text on the lower half of the scale
    on_high: str  # text on the upper half


LIGHT = Colours(
    paper="#ffffff",
    panel="#f5f7f9",
    line="#dde2e7",
    ink="#1a1f24",
    muted="#57616b",
    coarse="#0b6cb0",
    fine="#b34f00",
    fine2="#7b3fa0",
    confirm="#57616c",
    final="#00735a",
    best="#c2185b",
    second="#6b6f00",
    third="#007a87",
    fourth="#4b4bc8",
    stopped="#78828c",
    bad="#b3261e",
    low="#f4f8fc",
    middle="#4578ad",
    high="#08417a",
    on_low="#000000",
    on_high="#fefefe",
)
DARK = Colours(
    paper="#14181c",
    panel="#1c2127",
    line="#343b43",
    ink="#e6eaee",
    muted="#a3adb7",
    coarse="#5cb3f0",
    fine="#f0a04b",
    fine2="#c795ea",
    confirm="#a3adb8",
    final="#3fc7a2",
    best="#ff6fa5",
    second="#c5c94a",
    third="#4fd0dc",
    fourth="#a5a8ff",
    stopped="#8d97a1",
    bad="#ff8a80",
    low="#1a2129",
    middle="#3d79ac",
    high="#a8d4fa",
    on_low="#ffffff",
    on_high="#000000",
)
STAGES = ("coarse", "fine", "fine2", "confirm", "final")
SYMBOLS = {"coarse": "circle", "fine": "diamond", "fine2": "triangle-up", "confirm": "square", "final": "square"}
CYCLE = (LIGHT.best, LIGHT.second, LIGHT.third, LIGHT.fourth, LIGHT.ink, LIGHT.muted)  # of selected trials
SCALE = [[0.0, LIGHT.low], [0.5, LIGHT.middle], [1.0, LIGHT.high]]


def of(stage: str, colours: Colours = LIGHT) -> str:
    """A stage's own colour."""
    return str(getattr(colours, stage))


def dark_for_light() -> dict[str, str]:
    """What replaces what."""
    return {getattr(LIGHT, field.name): getattr(DARK, field.name) for field in fields(Colours)}


def blend(position: float, colours: Colours = LIGHT) -> str:
    """A colour of the scale low … middle … high, at 0 … 1."""
    ends = (colours.low, colours.middle) if position < 0.5 else (colours.middle, colours.high)
    share = 2 * position - (position >= 0.5)
    mixed = (round(a + share * (b - a)) for a, b in zip(*map(_rgb, ends), strict=True))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def contrast(a: str, b: str) -> float:
    """Of two colours, from 1 to 21 (WCAG 2)."""
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    shares = (value / 255 for value in _rgb(colour))
    r, g, b = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
