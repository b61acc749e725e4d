"""Medians, ratios, an aligned table and a plain SVG plot."""

import statistics


def median(values):
    return statistics.median(values)


def spread(values, digits=1):
    """`median (min-max)`"""
    if not values:
        return "-"
    middle, low, high = median(values), min(values), max(values)
    if len(values) == 1:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def table(head, rows):
    cells = [head] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
             for row in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


COLORS = {"holdline": "#1b6ca8"}
OTHER_COLORS = ["#d9a441", "#7a9e5f", "#a85b5b", "#6b5b95", "#b8b8b8", "#5f9ea0"]


def color_of(series):
    """One colour per server, the same in every group."""
    if series not in COLORS:
        COLORS[series] = OTHER_COLORS[(len(COLORS) - 1) % len(OTHER_COLORS)]
    return COLORS[series]


def _text(x, y, text, anchor="start", size=12, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{text}</text>')


def bars(title, groups, y=0, width=900):
    """groups: [(label, [(series, median, low, high)])]; returns (svg, height)."""
    out = [_text(10, y + 20, title, size=15, weight="bold")]
    highest = max((high for _, items in groups for *_, high in items), default=1) or 1
    at, left, right = y + 36, 330, width - 130
    for label, items in groups:
        out.append(_text(10, at + 14, label, weight="bold"))
        for series, middle, low, high in items:
            length = (right - left) * middle / highest
            out.append(_text(left - 8, at + 14, series, "end"))
            out.append(f'<rect x="{left}" y="{at + 3}" width="{length:.1f}" height="13" '
                       f'fill="{color_of(series)}"/>')
            x1, x2 = (left + (right - left) * value / highest for value in (low, high))
            out.append(f'<path d="M{x1:.1f} {at + 9.5}H{x2:.1f}" stroke="#333"/>')
            out.append(_text(max(x2, left + length) + 6, at + 14, f"{middle:.1f}"))
            at += 18
        at += 10
    return "\n".join(out), at - y


def document(parts, width=900):
    body, at = [], 10
    for title, groups in parts:
        if not groups:
            continue
        svg, height = bars(title, groups, at, width)
        body.append(svg)
        at += height + 14
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{at}" '
            f'font-family="sans-serif"><rect width="100%" height="100%" fill="#fff"/>\n'
            + "\n".join(body) + "\n</svg>\n")
