#!/usr/bin/env python3
"""Draws what a command printed as an SVG of a terminal, with nothing but Python.

    sealyard demo 2>&1 | dev/docs/terminal_svg.py --record docs/images/demo.txt     what stays on the screen, from a real run
    dev/docs/terminal_svg.py                                                        draws the recorded text anew
    dev/docs/terminal_svg.py --check                                                compares only

The recorded text is committed beside the picture, so that drawing it again gives the same bytes.
"""

import argparse
import pathlib
import re
import sys
import textwrap
from xml.sax.saxutils import escape

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXT = ROOT / "docs/images/demo.txt"
PICTURE = ROOT / "docs/images/demo.svg"
COMMAND = "sealyard demo"
TITLE = "Terminal after `sealyard demo`"

# A terminal wipes the progress away; in a pipe it stays. These lines are left on the screen, and one of the summary.
KEPT = re.compile(r"^(The (pipeline|attacks):|  [✔✘] .*|\d+ of \d+ attacks .*)$")
COLUMNS = 104
LINE = 19
WIDTH_OF_LETTER = 7.85
MARGIN = 20
BAR = 36


def wrapped(line: str) -> list[str]:
    """As a terminal of COLUMNS would break it, but between words."""
    return textwrap.wrap(line, COLUMNS, subsequent_indent="      ", drop_whitespace=True, break_long_words=True) or [""]


def spans(line: str, continued: bool) -> str:
    """A line with its colours: the mark, the name, and dimmer what follows the dash."""
    if continued:
        return f'<tspan class="dim">{escape(line)}</tspan>'
    mark = re.match(r"^(\s*)([✔✘])( .*)$", line)
    if not mark:
        return f'<tspan class="head">{escape(line)}</tspan>'
    indent, sign, rest = mark.groups()
    name, dash, detail = rest.partition(" — ")
    colour = "yes" if sign == "✔" else "no"
    return (
        f'{escape(indent)}<tspan class="{colour}">{sign}</tspan>{escape(name)}'
        f'<tspan class="dim">{escape(dash + detail)}</tspan>'
    )


def draw(text: str) -> str:
    rows: list[tuple[str, bool]] = []
    for line in text.splitlines():
        if line.startswith("The attacks"):
            rows.append(("", False))
        for number, part in enumerate(wrapped(line)):
            rows.append((part, number > 0))
    width = round(COLUMNS * WIDTH_OF_LETTER + 2 * MARGIN)
    height = BAR + (len(rows) + 1) * LINE + 2 * MARGIN - 6
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        'aria-labelledby="title description">',
        f'<title id="title">{escape(TITLE)}</title>',
        f'<desc id="description">{escape(text)}</desc>',
        "<style>",
        "text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#e6edf3;white-space:pre}",
        ".dim{fill:#9da7b3}.yes{fill:#56d364}.no{fill:#ff7b72}.head{font-weight:600}.prompt{fill:#79c0ff}",
        "</style>",
        f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="9" fill="#0d1117" stroke="#444c56"/>',
        '<g fill="#6e7681"><circle cx="20" cy="19" r="5.5"/><circle cx="39" cy="19" r="5.5"/><circle cx="58" cy="19" r="5.5"/></g>',
    ]
    y = BAR + MARGIN
    out.append(f'<text x="{MARGIN}" y="{y}"><tspan class="prompt">$</tspan> {escape(COMMAND)}</text>')
    for row, continued in rows:
        y += LINE
        if row:
            out.append(f'<text xml:space="preserve" x="{MARGIN}" y="{y}">{spans(row, continued)}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", type=pathlib.Path, metavar="FILE", help="keep standard input's lasting lines in FILE first")
    parser.add_argument("--check", action="store_true", help="only compare the picture with the recorded text")
    arguments = parser.parse_args()
    if arguments.record:
        lines = [line.rstrip() for line in sys.stdin if KEPT.match(line.rstrip())]
        if not any("attacks were stopped" in line for line in lines):
            print("standard input does not hold a whole demo", file=sys.stderr)
            return 1
        arguments.record.write_text("\n".join(lines) + "\n")
    picture = draw(TEXT.read_text())
    if arguments.check:
        if not PICTURE.exists() or PICTURE.read_text() != picture:
            print("docs/images/demo.svg is not drawn from docs/images/demo.txt; run make generate", file=sys.stderr)
            return 1
        return 0
    PICTURE.write_text(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
