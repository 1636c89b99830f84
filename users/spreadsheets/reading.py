"""Reading the rows of a CSV file or an Excel workbook, in flat memory, whatever the file holds."""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, TypeAlias

from django.utils.translation import gettext

from users.spreadsheets import workbooks
from users.spreadsheets.limits import MAX_COLUMNS, MAX_ROW_LENGTH, UnreadableFileError

#: The number of a row, as spreadsheet programs count, and its cells as they stand there (`cells`).
Row: TypeAlias = tuple[int, list[str]]

#: The encodings that a CSV file may be said to have. One with a byte order mark needs none.
ENCODINGS = (
    "utf-8",
    "utf-16",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "iso-8859-15",
    "gb18030",
    "shift_jis",
)
_MAX_BATCH_LENGTH = 4 * MAX_ROW_LENGTH
_SEPARATORS = ",;\t"
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_OLD_EXCEL = bytes.fromhex("d0cf11e0a1b11ae1")


def rows(
    file: BinaryIO, *, encoding: str = "", max_size: int = workbooks.MAX_SIZE
) -> Iterator[Row]:
    """Yield the rows of `file` that are not empty, the first one first.

    It is read from its beginning, and need not say what it is.

    encoding: of `ENCODINGS`; of a CSV file without a byte order mark. Empty: UTF-8.
    max_size: of a workbook, in bytes when unpacked.

    Raises `UnreadableFileError`.
    """
    file.seek(0)
    start = file.read(8)
    file.seek(0)
    if start.startswith(b"PK"):
        found = workbooks.rows(file, max_size)
    elif start == _OLD_EXCEL:
        raise UnreadableFileError(
            gettext(
                "This is a file of Excel 97 to 2003, or it is locked by a password. Save it as "
                ".xlsx without a password, or as CSV."
            )
        )
    else:
        found = _csv_rows(file, start, encoding)
    for number, cells in found:
        if len(cells) > MAX_COLUMNS and any(cells[MAX_COLUMNS:]):
            message = gettext("Row %(number)d has more than %(max)d columns.")
            raise UnreadableFileError(message % {"number": number, "max": MAX_COLUMNS})
        if any(cells):
            yield number, cells


def batches(rows: Iterable[Row], number: int) -> Iterator[list[Row]]:
    """Yield rows in lists of `number`, or of fewer where they hold much text."""
    batch: list[Row] = []
    length = 0
    for row in rows:
        batch.append(row)
        length += sum(map(len, row[1]))
        if len(batch) == number or length > _MAX_BATCH_LENGTH:
            yield batch
            batch, length = [], 0
    if batch:
        yield batch


def _csv_rows(file: BinaryIO, start: bytes, encoding: str) -> Iterator[Row]:
    marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), "")
    number = 0
    # The wrapper closes a file with itself, unless it is detached.
    text = io.TextIOWrapper(file, marked or encoding or "utf-8", newline="")
    try:
        lines = _Lines(text)
        for number, cells in enumerate(csv.reader(lines, delimiter=lines.separator()), 1):
            lines.length = 0
            yield number, cells
    except UnicodeError as error:
        hint = (
            gettext("Is it another encoding?")
            if marked or encoding
            else gettext("Save it as “CSV UTF-8”, or say which encoding it has.")
        )
        message = gettext("Below row %(number)d: this is not %(encoding)s.")
        expected = {"number": number, "encoding": (marked or encoding or "utf-8").upper()}
        raise UnreadableFileError(f"{message % expected} {hint}") from error
    except csv.Error as error:
        message = gettext("After row %(number)d: %(error)s.")
        raise UnreadableFileError(message % {"number": number, "error": error}) from error
    finally:
        text.detach()


class _Lines:
    """The lines of a CSV file.

    length: of what was read since it was set to 0, which is bounded.
    """

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.length = 0
        self._first = self._read()
        if self._first[:4].lower() == "sep=":  # Excel's own line
            self._named: str = self._first[4:5]
            self._first = self._read()
        else:
            self._named = ""

    def separator(self) -> str:
        """Return what separates the cells: what the first line has most of."""
        if self._named and self._named in _SEPARATORS:
            return self._named
        cells = {each: len(_cells_of_line(self._first, each)) for each in _SEPARATORS}
        return max(cells, key=lambda each: cells[each])

    def __iter__(self) -> Iterator[str]:
        line = self._first
        while line:
            yield line
            line = self._read()

    def _read(self) -> str:
        line = self._text.readline(MAX_ROW_LENGTH - self.length + 1)
        self.length += len(line)
        if self.length > MAX_ROW_LENGTH:
            raise UnreadableFileError(
                gettext("A row has more than %d characters. Is a quote missing?") % MAX_ROW_LENGTH
            )
        return line


def _cells_of_line(line: str, separator: str) -> Sequence[str]:
    return next(csv.reader([line], delimiter=separator), ())
