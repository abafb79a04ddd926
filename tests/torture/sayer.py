"""The desktop program in a process of its own, which prints each description once it was said.

Run by ``python -m tests.torture.sayer PICTURE...``; ends when all are described.
"""

import json
import os
import sys
import time

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtWidgets import QApplication

from desktop.description import Description
from desktop.program import Program
from desktop.single_instance import SingleInstance


def main() -> None:
    """Describe the pictures, and print a line for each: its path, its sentence, when it was."""
    application = QApplication([])
    first = SingleInstance().first()
    paths = sys.argv[1:]
    program = Program()
    said: list[str] = []

    def tell(*what: object) -> None:
        print(json.dumps([*what, time.monotonic()]), flush=True)

    def on_described(one: Description) -> None:
        tell(one.caption.path, one.caption.spoken)
        said.append(one.caption.path)
        if said == paths:
            application.quit()

    program.flow.described.connect(on_described)
    program.flow.keeping.connect(lambda problem: tell("problem", problem) if problem else None)
    program.start(minimised=False)
    tell("first" if first else "second", program.history.problem)
    program.on_asked_from_outside(paths, "")
    application.exec()
    program.close()


if __name__ == "__main__":
    main()
