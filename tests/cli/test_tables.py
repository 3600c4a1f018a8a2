from __future__ import annotations

from tests.cli.snapshots import COMMANDS, FOLDER, camera


def test_the_tables_look_as_their_snapshots() -> None:
    with camera() as take:
        shown = {name: take(arguments) for name, arguments in COMMANDS.items()}
    assert shown == {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
