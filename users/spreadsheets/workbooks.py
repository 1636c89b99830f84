"""Reading Excel workbooks (.xlsx): openpyxl behind a guard, for it trusts a file.

A workbook is a ZIP archive of XML (ECMA-376). The guard reads each part once as a stream, and
refuses what openpyxl would fill the memory with: it holds a row and the shared texts as a whole.
"""

import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO
from xml.parsers import expat

from django.utils.translation import gettext

from users.spreadsheets.cells import as_text, letters
from users.spreadsheets.limits import MAX_COLUMNS, MAX_ROW_LENGTH, UnreadableFileError

try:
    import openpyxl
except ImportError:  # the extra `spreadsheets` is not installed
    openpyxl = None

#: Bytes of all parts when unpacked, and of those that openpyxl holds as a whole.
MAX_SIZE = 1_073_741_824
_MAX_TEXTS_SIZE = 67_108_864
_MAX_PART_SIZE = 4_194_304
_MAX_PARTS = 1_000
_MAX_ROWS = 1_048_576  # as Excel

# What XML begins with: "<", white space, a byte order mark, or "<" in UTF-16.
_XML_STARTS = b"< \t\r\n\xef\xfe\xff\x00"

_LAST = letters(MAX_COLUMNS - 1)

_CHUNK = 65_536
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")  # ECMA-376, part 1, section 22.4.2.4


def rows(file: BinaryIO, max_size: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of the first sheet, each with its number; those of no cells may be left out.

    Of formulas, it is the result that the file holds: nothing is computed.

    Raises `UnreadableFileError`.
    """
    if openpyxl is None:
        raise UnreadableFileError(
            gettext(
                "Workbooks cannot be read here: the extra “spreadsheets” is not installed. Save it "
                "as CSV."
            )
        )
    try:
        with zipfile.ZipFile(file) as archive:
            _check(archive, max_size)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            if not book.worksheets:
                raise UnreadableFileError(gettext("The workbook has no sheet."))
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # which the file says, true or not
            for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
                yield number, list(_texts(number, values))
        finally:
            book.close()
    except UnreadableFileError:
        raise
    except Exception as error:  # openpyxl raises all kinds for what is no workbook
        raise UnreadableFileError(
            gettext(
                "This is not a workbook that can be read (%s). Open it in a spreadsheet program "
                "and save it as .xlsx or CSV."
            )
            % type(error).__name__
        ) from error


def _texts(number: int, values: Sequence[Any]) -> Iterator[str]:
    """Yield the texts of a row. A sheet may name one long text of the workbook in each cell."""
    if len(values) > MAX_COLUMNS:
        message = gettext("Row %(number)d has more than %(max)d columns.")
        raise UnreadableFileError(message % {"number": number, "max": MAX_COLUMNS})
    length = 0
    for value in values:
        text = _text(value)
        length += len(text)
        if length > MAX_ROW_LENGTH:
            message = gettext("A row has more than %d characters.")
            raise UnreadableFileError(message % MAX_ROW_LENGTH)
        yield text


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return as_text(value)
    if "_x" not in value:
        return value
    text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), value)
    # Two surrogates are a character, and a lone one is none.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _check(archive: zipfile.ZipFile, max_size: int) -> None:
    """Raise `UnreadableFileError` if the archive has more than a workbook needs."""
    parts = archive.infolist()
    if len(parts) > _MAX_PARTS or len({part.filename for part in parts}) < len(parts):
        raise UnreadableFileError(gettext("This is not a workbook: it has too many parts."))
    if "mimetype" in {part.filename for part in parts}:
        raise ValueError("an OpenDocument file")
    # What a part is said to have is what zipfile reads of it at most.
    if sum(part.file_size for part in parts) > max_size:
        raise UnreadableFileError(
            gettext("The workbook is too large: unpacked, it has more than %d MB.")
            % (max_size // 1_048_576)
        )
    max_texts_size = min(_MAX_TEXTS_SIZE, max_size // 8)  # short ones fill six times the memory
    for part in parts:
        name = f"/{part.filename.lower()}"
        is_named = name.endswith((".xml", ".rels"))
        is_sheet = is_named and "/worksheets/" in name
        is_texts = name.endswith("sharedstrings.xml")
        limit = max_size if is_sheet else max_texts_size if is_texts else _MAX_PART_SIZE
        with archive.open(part) as opened:
            stream: Any = opened
            # A workbook may say that any part is its sheet; pictures and the like are no XML.
            if not is_named and stream.peek(1)[:1] not in _XML_STARTS:
                continue
            if part.file_size > limit:
                message = gettext(
                    "The workbook is too large: its part %(part)s has more than %(size)d MB."
                )
                size = limit // 1_048_576
                raise UnreadableFileError(message % {"part": part.filename, "size": size})
            try:
                _Guard(stream, is_sheet=is_sheet).read()
            except expat.ExpatError:
                if is_named:  # else openpyxl cannot read it either, and need not
                    raise


class _Guard:
    """Reads a part of a workbook as a stream, and refuses what would fill the memory."""

    def __init__(self, stream: Any, *, is_sheet: bool) -> None:
        self._stream = stream
        self._is_sheet = is_sheet
        self._cells = 0
        self._row = 0
        self._start = 0  # of the row, or of the last element, in bytes
        self._formula = ""  # the cell of one without a result so far
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._element

    def read(self) -> None:
        size = 0
        while chunk := self._stream.read(_CHUNK):
            size += len(chunk)
            self._parser.Parse(chunk)
            self._check_length(size)
        self._parser.Parse(b"", True)
        self._refuse_formula()

    def _doctype(self, *args: Any) -> None:
        raise UnreadableFileError(gettext("This is not a workbook: it has a document type."))

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        self._check_length(self._parser.CurrentByteIndex)
        if not self._is_sheet:
            self._start = self._parser.CurrentByteIndex
            return
        match name.rpartition(":")[2]:
            case "row":
                self._begin_row(attributes)
            case "c":
                self._refuse_formula()
                self._begin_cell(attributes)
            case "f":
                self._formula = self._cell
            case "v":
                self._formula = ""

    def _begin_row(self, attributes: dict[str, str]) -> None:
        self._refuse_formula()
        number = attributes.get("r", "")
        is_number = number.isascii() and number.isdigit() and len(number) <= 7
        self._row = int(number) if is_number else self._row + 1 if not number else _MAX_ROWS + 1
        if self._row > _MAX_ROWS:
            raise UnreadableFileError(gettext("A sheet has at most %s rows.") % f"{_MAX_ROWS:,}")
        self._cells = 0
        self._start = self._parser.CurrentByteIndex

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._cells += 1
        self._cell = attributes.get("r") or f"{letters(self._cells - 1)}{self._row}"
        column = self._cell.rstrip("0123456789").upper()
        # openpyxl fills a row up to its last column.
        if self._cells > MAX_COLUMNS or (len(column), column) > (len(_LAST), _LAST):
            message = gettext("Row %(number)d has more than %(max)d columns.")
            raise UnreadableFileError(message % {"number": self._row, "max": MAX_COLUMNS})
        if attributes.get("t") == "e":
            message = gettext("Cell %s holds an error: correct its formula.")
            raise UnreadableFileError(message % self._cell)

    def _check_length(self, position: int) -> None:
        # In bytes, and with the markup of as many cells as there may be.
        if position - self._start > 4 * MAX_ROW_LENGTH:
            message = gettext("A row has more than %d characters.")
            raise UnreadableFileError(message % MAX_ROW_LENGTH)

    def _refuse_formula(self) -> None:
        if self._formula:
            raise UnreadableFileError(
                gettext(
                    "Cell %s holds a formula without its result. Open the file in a spreadsheet "
                    "program, and save it."
                )
                % self._formula
            )
