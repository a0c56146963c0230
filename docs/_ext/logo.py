"""Draw the logo, and the picture that other sites show of this one: a b of bits, one of which has flipped.

``python docs/_ext/logo.py`` writes docs/_static/logo.svg; a build draws the preview beside the other static files.
"""

import html
import re
from pathlib import Path

DESCRIPTION = "Neural networks whose every weight and activation is a single bit, trained in logic."
LETTER = ("10000", "10000", "11110", "10001", "10001", "10001", "11110")
FLIPPED = (1, 3)  # row and column
ON, OFF, LIT = "#0a7d91", "#8a94a6", "#e67800"  # legible on light and on dark
STEP, SIDE = 10, 8


def squares():
    """Row, column and colour of each bit; what is F is drawn thin."""
    for y, row in enumerate(LETTER):
        for x, bit in enumerate(row):
            yield y, x, LIT if (y, x) == FLIPPED else ON if bit == "1" else OFF


def draw():
    """Return the logo as SVG."""
    size = STEP * len(LETTER)
    margin = (size - STEP * len(LETTER[0])) // 2 + 1
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img">',
        "<title>bvar</title>",
    ]
    for y, x, colour in squares():
        opacity = ' fill-opacity="0.25"' if colour == OFF else ""
        place = f'x="{margin + STEP * x}" y="{STEP * y + 1}" width="{SIDE}" height="{SIDE}" rx="1.5"'
        parts.append(f'<rect {place} fill="{colour}"{opacity}/>')
    return "\n".join([*parts, "</svg>", ""])


def preview(path):
    """Write the picture for other sites, 1200 by 630."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    figure = Figure(figsize=(12, 6.3), facecolor="#14181e")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 120), ylim=(63, 0))
    axes.axis("off")
    for y, x, colour in squares():
        square = Rectangle((10 + 6 * x, 11 + 6 * y), 5, 5, color=colour, alpha=0.25 if colour == OFF else 1)
        axes.add_patch(square)
    axes.text(48, 25, "bvar", color="white", fontsize=72, weight="bold", va="center")
    axes.text(
        48, 38, "Neural networks of single bits,\ntrained in logic", color="#c8cdd7", fontsize=30, va="center"
    )
    figure.savefig(path, dpi=100)


def finish(app, exception):
    """Draw the preview where the pages are."""
    if exception is None and app.builder.format == "html":
        preview(Path(app.outdir) / "_static" / "preview.png")


def describe(app, pagename, templatename, context, doctree):
    """Say to other sites what a page is; a picture needs an address, the variable BVAR_SITE of the environment."""
    title = html.unescape(re.sub("<[^>]+>", "", context.get("title", "bvar")))  # it may hold names of code
    tags = {"og:site_name": "bvar", "og:title": title, "og:type": "website", "og:description": DESCRIPTION}
    if app.config.html_baseurl:
        site = app.config.html_baseurl.rstrip("/")
        tags |= {
            "og:url": f"{site}/{pagename}.html",
            "og:image": f"{site}/_static/preview.png",
            "og:image:alt": "bvar, its name in bits",
        }
    lines = [f'<meta property="{name}" content="{html.escape(value)}">' for name, value in tags.items()]
    lines.append(f'<meta name="description" content="{DESCRIPTION}">')
    context["metatags"] = "\n".join([context.get("metatags", ""), *lines])


def setup(app):
    """Draw when a build is done, and describe each page."""
    app.connect("build-finished", finish)
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    (Path(__file__).parents[1] / "_static" / "logo.svg").write_text(draw(), encoding="utf-8")
