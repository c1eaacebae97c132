"""Rounds become medians and spread, and those become Markdown."""

from statistics import median


def spread(values, form, scale=1):
    values = [value / scale for value in values]
    shown = [form.format(value) for value in (median(values), min(values), max(values))]
    return shown[0] if len(values) == 1 else f"{shown[0]} ({shown[1]} - {shown[2]})"


def ratios(values, base):
    """Round by round, for what else the machine did met both."""
    return [value / below for value, below in zip(values, base) if below]


def row(cells):
    return "| " + " | ".join(cells) + " |"


def table(section, rounds):
    """`rounds`: of each server, or load, a list of reports in the order of the rounds."""
    columns = section.columns
    if not section.servers:
        columns = [column for column in columns if any(column.key in report for found in rounds.values() for report in found)]
    baseline = rounds.get(section.baseline)
    head = [""]
    for column in columns:
        if column.is_ratio and baseline:
            head.append(f"{column.title}, to {section.baseline}")
        head.append(column.title)
    lines = [row(head), row(["---"] * len(head))]
    for name, reports in rounds.items():
        cells = [name]
        for column in columns:
            values = [report[column.key] for report in reports if column.key in report]
            if column.is_ratio and baseline:
                base = [report[column.key] for report in baseline]
                cells.append(spread(ratios(values, base), "{:.2f}") if values else "")
            cells.append(spread(values, column.form, column.scale) if values else "")
        lines.append(row(cells))
    return "\n".join(lines)
