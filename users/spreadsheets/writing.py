"""Writing rows as a CSV file or an Excel workbook, as a stream in flat memory.

The workbook is written here and not by openpyxl, which puts the whole sheet into a file before the
first byte can be sent.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias
from xml.sax.saxutils import escape

from users.spreadsheets.cells import Cell, as_text, letters, protect

Rows: TypeAlias = Iterable[Sequence[Cell]]

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_CHUNK = 65_536  # of bytes at least
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_PART = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

#: All parts but the sheet. The cell formats: 0 as it comes, 1 text, 2 text in bold.
_PARTS = {
    "[Content_Types].xml": f"""<Types xmlns="{_PACKAGE}/content-types">\
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>\
<Default Extension="xml" ContentType="application/xml"/>\
<Override PartName="/xl/workbook.xml" ContentType="{_PART}.sheet.main+xml"/>\
<Override PartName="/xl/styles.xml" ContentType="{_PART}.styles+xml"/>\
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_PART}.worksheet+xml"/></Types>""",
    "_rels/.rels": f"""<Relationships xmlns="{_PACKAGE}/relationships">\
<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/>\
</Relationships>""",
    "xl/workbook.xml": f"""<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}">\
<sheets><sheet name="Users" sheetId="1" r:id="rId1"/></sheets></workbook>""",
    "xl/_rels/workbook.xml.rels": f"""<Relationships xmlns="{_PACKAGE}/relationships">\
<Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>\
<Relationship Id="rId2" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>""",
    "xl/styles.xml": f"""<styleSheet xmlns="{_MAIN}"><fonts count="2">\
<font><sz val="11"/><name val="Calibri"/></font>\
<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>\
<fills count="2"><fill><patternFill patternType="none"/></fill>\
<fill><patternFill patternType="gray125"/></fill></fills>\
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>\
<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>\
<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>\
<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" \
applyFont="1"/></cellXfs>\
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>\
</styleSheet>""",
}
_SHEET_START = f"""<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">\
<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>\
<sheetFormatPr defaultRowHeight="15"/>{{columns}}<sheetData>"""
_SHEET_END = "</sheetData></worksheet>"

# Characters that XML cannot hold or changes, and what looks like their escape (ECMA-376, 22.4.2.4).
_ESCAPED = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def csv_file(header: Sequence[str], rows: Rows) -> Iterator[bytes]:
    """Yield a CSV file: UTF-8 with a byte order mark, so that Excel knows the encoding."""
    text = io.StringIO()
    writer = csv.writer(text)  # with CR LF (RFC 4180)
    text.write("\ufeff")
    writer.writerow([protect(name) for name in header])
    yield _taken(text)
    for row in rows:
        writer.writerow([protect(as_text(cell)) for cell in row])
        if text.tell() > _CHUNK:
            yield _taken(text)
    yield _taken(text)


def xlsx_file(header: Sequence[str], rows: Rows) -> Iterator[bytes]:
    """Yield a workbook of one sheet. Its first row stays in view; texts are cells of texts."""
    sink: Any = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        for name, content in _PARTS.items():
            archive.writestr(name, _XML + content)
        yield sink.taken()
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            columns = f'<cols><col min="1" max="{len(header)}" width="18" customWidth="1"/></cols>'
            sheet.write((_XML + _SHEET_START.format(columns=columns)).encode())
            sheet.write(_row(1, header, text_format=2))
            for number, row in enumerate(rows, 2):
                sheet.write(_row(number, row, text_format=1))
                if sink.size > _CHUNK:
                    yield sink.taken()
            sheet.write(_SHEET_END.encode())
        yield sink.taken()
    yield sink.taken()


#: The files that can be written, each with its content type, by the end of their names.
FORMATS: Mapping[str, tuple[str, Callable[[Sequence[str], Rows], Iterator[bytes]]]] = (
    MappingProxyType({"csv": (CSV_TYPE, csv_file), "xlsx": (XLSX_TYPE, xlsx_file)})
)


class _Sink:
    """What a ZIP archive is written to that is sent while it is made."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self.size = 0

    def write(self, chunk: bytes) -> int:
        self._chunks.append(bytes(chunk))
        self.size += len(chunk)
        return len(chunk)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        content = b"".join(self._chunks)
        self._chunks, self.size = [], 0
        return content


def _taken(text: io.StringIO) -> bytes:
    # A stored lone surrogate, which the database may hold, is in no file.
    content = text.getvalue().encode(errors="replace")
    text.seek(0)
    text.truncate()
    return content


def _row(number: int, cells: Sequence[Cell], text_format: int) -> bytes:
    written = [
        _cell(f"{letters(column)}{number}", value, text_format)
        for column, value in enumerate(cells)
        if value is not None and value != ""
    ]
    return f'<row r="{number}">{"".join(written)}</row>'.encode(errors="replace")


def _cell(reference: str, value: Cell, text_format: int) -> str:
    if isinstance(value, bool):
        return f'<c r="{reference}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{reference}"><v>{value!r}</v></c>'
    text = escape(_ESCAPED.sub(lambda match: f"_x{ord(match[0]):04X}_", protect(str(value))))
    return (
        f'<c r="{reference}" s="{text_format}" t="inlineStr"><is>'
        f'<t xml:space="preserve">{text}</t></is></c>'
    )
