"""The page about faults says what the table of the tests says."""

from pathlib import Path

from tests.support.faults import AMPLE, FAULTS, Fault

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


def row(fault: Fault) -> str:
    error = f"`{fault.error.__name__}`" if fault.error else "the result"
    within = "at once" if fault.timeout == AMPLE else "`timeout`"
    return f"| {fault.name} | {error} | {'yes' if fault.retried else 'no'} | {within} |"


def test_every_fault_is_in_the_page_and_nothing_else() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert rows[1:] == [row(fault) for fault in FAULTS]
