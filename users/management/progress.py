"""How far a command has come."""

from typing import Any

_WIDTH = 24  # of the bar, in characters


class Progress:
    """A bar on a terminal, and a count: "[######      ] 12,000 of 24,000 changes".

    Elsewhere there is none.

    stream: the command's `stderr`.
    total: how many there are, of what `unit` names; None: not known, so that there is no bar.
    """

    def __init__(self, stream: Any, total: int | None, unit: str) -> None:
        self._stream = stream if stream.isatty() else None
        self._total = total
        self._unit = unit
        self.done = 0

    def add(self, number: int) -> None:
        self.done += number
        if self._stream:
            self._stream.write(f"\r{self._line()}", ending="")
            self._stream.flush()

    def _line(self) -> str:
        if self._total is None:
            return f"{self.done:,} {self._unit}"
        total = max(self._total, self.done)
        bar = "#" * (_WIDTH * self.done // (total or 1))
        return f"[{bar:<{_WIDTH}}] {self.done:,} of {total:,} {self._unit}"

    def finish(self) -> None:
        """Clear the line: the command says now what it did."""
        if self._stream:
            self._stream.write("\r\033[K", ending="")
