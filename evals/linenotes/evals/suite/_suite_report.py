"""What a session with golden tests shows in the end: a table, the reasons, and the same as files.

Made from the documents that reports carry, so that it is the same with several workers.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from linenotes.evals._costs import cost_cell
from linenotes.evals._wording import SPEAKS_OF, counted, printable
from linenotes.evals.documents._suite_documents import (
    GoldenCaseDocument,
    GoldenTestDocument,
    SuiteDocument,
)
from linenotes.evals.suite._suite_figures import rate_text

_WIDTH = 100
_GAP = "  "
_LISTED = 8
"""How many cases a line lists."""
_HEADER = ("test", "pass rate (95%)", "n", "K", "unstable", "failing", "calls", "cost", "verdict")


def suite_document(told: Iterable[object], notes: Sequence[str]) -> SuiteDocument:
    """Return what the reports of a session carry, as one document; of an item the last report."""
    tests: dict[str, GoldenTestDocument] = {}
    cases: dict[tuple[str, str], GoldenCaseDocument] = {}
    for one in told:
        assert isinstance(one, dict)
        if "test" in one:
            test = GoldenTestDocument.model_validate(one["test"])
            tests[test.test] = test
        if "case" in one:
            case = GoldenCaseDocument.model_validate(one["case"])
            cases[case.test, case.case] = case
    ordered = sorted(cases.items())
    return SuiteDocument(
        tests=[tests[name] for name in sorted(tests)],
        cases=[case for _, case in ordered],
        notes=list(dict.fromkeys(notes)),
    )


def terminal_lines(suite: SuiteDocument, width: int | None = None) -> Iterator[str]:
    """Yield the table, under it what each test says, and what is to know besides.

    Args:
        suite: what was measured.
        width: of the terminal; None where there is none, as in the log of a CI run.
    """
    room = min(width or _WIDTH, _WIDTH)
    for line in map(printable, _lines(suite, room)):
        yield from _wrapped(line, room) if width else (line,)


def _lines(suite: SuiteDocument, width: int) -> Iterator[str]:
    if suite.tests:
        yield from _aligned([_HEADER, *(_row(test) for test in suite.tests)], width)
        yield f"Intervals speak of {_targets(suite.tests)}."
    for test in suite.tests:
        yield from ("", test.metric)
        yield from (f"  {line}" for line in _reasons(test))
    undecided = _without_verdict(suite)
    if undecided:
        yield ""
        yield from undecided
    yield from suite.notes


def markdown(suite: SuiteDocument) -> str:
    """Return the session as a summary for a page of a CI run."""
    lines = ["## linenotes", ""]
    if suite.tests:
        lines += [_cells(_HEADER), _cells(["---"] * len(_HEADER))]
        lines += [_cells(_row(test)) for test in suite.tests]
        lines += ["", f"Intervals speak of {_targets(suite.tests)}."]
    for test in suite.tests:
        lines += ["", f"**{_escaped(test.metric)}**", ""]
        lines += [f"- {_escaped(line)}" for line in _reasons(test)]
        lines += _flips(test)
    lines += [f"- {_escaped(line)}" for line in _without_verdict(suite)]
    lines += ["", *(_escaped(note) for note in suite.notes)] if suite.notes else []
    return "\n".join(lines) + "\n"


def status_word(told: object) -> tuple[str, str, str] | None:
    """Return category, letter and word of an item that passes and is more than a pass."""
    assert isinstance(told, dict)
    if "case" in told:
        case = GoldenCaseDocument.model_validate(told["case"])
        fraction = f"{case.passed}/{case.measured}"
        if case.status in ("unstable", "failing"):
            letter = case.status[0]
            return case.status, letter, f"{case.status.upper()} {fraction}"
        return None
    test = GoldenTestDocument.model_validate(told["test"])
    if test.verdict == "pass":
        return None
    category = "passed" if test.verdict == "unchanged" else test.verdict
    letter = "." if test.verdict == "unchanged" else "i"
    return category, letter, test.verdict.upper()


def _row(test: GoldenTestDocument) -> tuple[str, ...]:
    return (
        test.metric,
        rate_text(test.rate),
        str(test.n),
        str(test.samples),
        str(len(test.unstable)),
        str(len(test.failing)),
        f"{test.calls:,}",
        cost_cell(test.cost),
        test.verdict.upper(),
    )


def _reasons(test: GoldenTestDocument) -> Iterator[str]:
    yield from test.reasons
    for name, cases in (("unstable", test.unstable), ("failing", test.failing)):
        if cases:
            yield f"{name}: {_listed([f'{case} {passed}' for case, passed in cases.items()])}"
    if test.replayed_calls:
        yield f"{test.replayed_calls:,} of {test.calls:,} model calls replayed from recordings."
    yield f"run {test.run_id[:12]}, {test.agent} {test.version} on {test.dataset}"


def _without_verdict(suite: SuiteDocument) -> list[str]:
    """Say of tests that reached no verdict what was seen of them."""
    decided = {test.test for test in suite.tests}
    seen: dict[str, list[GoldenCaseDocument]] = {}
    for case in suite.cases:
        if case.test not in decided:
            seen.setdefault(case.test, []).append(case)
    return [
        f"{name}: no verdict. {sum(case.passed for case in cases)} of "
        f"{counted(sum(case.measured for case in cases), 'sample')} of "
        f"{counted(len(cases), 'case')} passed."
        for name, cases in seen.items()
    ]


def _flips(test: GoldenTestDocument) -> list[str]:
    if not test.flipped:
        return []
    shown = _listed([f"{one.case} {one.before} → {one.after}" for one in test.flipped])
    return [f"- against the baseline: {_escaped(shown)}"]


def _targets(tests: Sequence[GoldenTestDocument]) -> str:
    return " or ".join(dict.fromkeys(SPEAKS_OF[test.rate.target] for test in tests))


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _LISTED} more" if len(texts) > _LISTED else ""
    return ", ".join(texts[:_LISTED]) + more


def _aligned(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Yield rows as lines; words stand left, numbers right.

    Names that leave no room for the figures beside them stand on lines of their own.
    """
    wide = max(len(name) for name, *_ in rows)
    figures = [*_figures([row[1:] for row in rows])]
    beside = wide + len(_GAP) + max(map(len, figures)) <= width
    for (name, *_), line in zip(rows, figures, strict=True):
        if beside:
            yield f"{name.ljust(wide)}{_GAP}{line}"
        else:
            yield from (_shortened(name, width), f"{_GAP}{line}")


def _wrapped(line: str, width: int) -> Sequence[str]:
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False) or [""]


def _figures(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for *numbers, word in rows:
        cells = [text.rjust(wide) for text, wide in zip(numbers, widths, strict=False)]
        yield _GAP.join([*cells, word])


def _shortened(name: str, width: int) -> str:
    """Return a name with both ends: its class stands at one, its parameters at the other."""
    if len(name) <= width:
        return name
    end = 2 * width // 3
    return f"{name[: width - end - 1]}…{name[-end:]}"


def _cells(row: Sequence[str]) -> str:
    return "| " + " | ".join(_escaped(text) for text in row) + " |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
