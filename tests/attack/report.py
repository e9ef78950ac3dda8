"""Formats the matrix with a row per program and a column per mode."""

_SIGNS = {"blocked": "blocked", "open": "known", "SUCCEEDED": "SUCCEEDED", "BROKEN": "BROKEN", "n/a": "-"}


def matrix(programs, judgements):
    """Returns the matrix as Markdown, followed by one line for each unexpected result."""
    modes = list(dict.fromkeys(each.mode for each in judgements))
    cells = {(each.program, each.mode): each for each in judgements}
    lines = [f"| program | {' | '.join(modes)} |", f"| --- |{' --- |' * len(modes)}"]
    for key in programs:
        row = [_cell(cells.get((key, mode))) for mode in modes]
        lines.append(f"| {key} | {' | '.join(row)} |")
    bad = [each for each in judgements if each.verdict in {"SUCCEEDED", "BROKEN"}]
    lines += ["", *(_line(each) for each in bad)]
    return "\n".join(lines)


def _cell(judgement):
    if judgement is None:
        return ""
    sign = _SIGNS[judgement.verdict]
    if judgement.rounds > 1:
        sign += f" {judgement.succeeded_rounds}/{judgement.rounds}"
    return sign


def _line(judgement):
    evidence = "; ".join(judgement.evidence)[:600]
    return f"{judgement.verdict} {judgement.program} in {judgement.mode}: {evidence}"


def remaining(programs):
    """Returns the table of docs/threat-model.md: known remaining attacks by mode, and the programs that show them."""
    rows = {}
    for program in programs:
        for mode, what in program.remains.items():
            rows.setdefault((mode, what), []).append(f"`{program.key}`")
    lines = [f"| `{mode}` | {what} | {', '.join(keys)} |" for (mode, what), keys in sorted(rows.items())]
    return "\n".join(["| mode | what remains open | shown by |", "| --- | --- | --- |", *lines])


def totals(judgements):
    """Returns the number of programs for each verdict, in one line."""
    counts = {verdict: sum(each.verdict == verdict for each in judgements) for verdict in _SIGNS}
    rounds = sum(each.rounds for each in judgements)
    words = ", ".join(f"{count} {_SIGNS[verdict]}" for verdict, count in counts.items())
    return f"{rounds} renders: {words}"
