"""Files as they are. Those in `files` were written by LibreOffice, from `people.fods`."""

import contextlib
import io
import tracemalloc
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from users.spreadsheets import reading, workbooks, writing
from users.spreadsheets.limits import MAX_COLUMNS, MAX_ROW_LENGTH, UnreadableFileError

FILES = Path(__file__).parent / "files"
HEADER = [
    "Login ID",
    "First Name",
    "Job Description",
    "skill:seniority",
    "Login Using Email",
    "custom:since",
    "custom:level",
]
LEAD = '"Lead";, of\ntwo lines'


def read(content, **options):
    return list(reading.rows(io.BytesIO(content), **options))


def error_of(content, **options):
    with pytest.raises(UnreadableFileError) as caught:
        read(content, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "encoding", "yes"),
    [
        ("semicolons.csv", "", "TRUE"),
        ("utf16_tabs.csv", "", "TRUE"),
        ("windows_1252.csv", "windows-1252", "TRUE"),
        ("people.xlsx", "", "true"),
    ],
)
def test_a_file_of_libreoffice_is_read(name, encoding, yes):
    header, row = read((FILES / name).read_bytes(), encoding=encoding)
    assert header == (1, HEADER)
    assert row == (2, ["zoë", "Zoë", LEAD, "3", yes, "2026-11-01", "7.5"])


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_separator_and_line_end_is_read(mark, end, separator):
    lines = [separator.join(cells) for cells in (["A", "B"], ["1", '"x\ny ""z"""'])]
    assert read((mark + end.join(lines)).encode()) == [(1, ["A", "B"]), (2, ["1", 'x\ny "z"'])]


def test_the_line_in_which_excel_names_the_separator_is_no_row():
    assert read(b"sep=;\r\na,b;c\r\n") == [(1, ["a,b", "c"])]


def test_empty_rows_are_left_out_and_counted():
    assert read(b"A,B\n\n,\n1,2\n") == [(1, ["A", "B"]), (4, ["1", "2"])]


def test_an_encoding_that_is_not_utf_8_is_asked_for_and_not_guessed():
    error = error_of("Login ID\nzoë\n".encode("cp1252"))
    assert "this is not UTF-8" in error
    assert "say which encoding it has" in error


def test_a_file_of_an_older_excel_is_refused_with_what_to_do():
    assert "Save it as .xlsx" in error_of((FILES / "people.xls").read_bytes())


@given(
    st.sampled_from(
        [b"", b"PK", b"PK\x03\x04", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"sep="]
    ),
    st.binary(max_size=400),
    st.sampled_from(["", *reading.ENCODINGS]),
)
def test_any_bytes_are_read_or_refused(start, rest, encoding):
    with contextlib.suppress(UnreadableFileError):
        read(start + rest, encoding=encoding)


def test_an_escaped_surrogate_of_a_workbook_is_no_character_of_its_own():
    data = f"<row>{text_cell('_xD83D__xDE00_')}{text_cell('a_xD800_')}</row>"
    assert read(workbook(sheet1=sheet(data))) == [(1, ["😀", "a�"])]


# What would fill the memory.


def workbook(**parts):
    """Return a workbook with parts of its own."""
    made = io.BytesIO(b"".join(writing.xlsx_file(["A"], [["1"]])))
    found = io.BytesIO()
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            key = Path(name).stem
            new.writestr(name, parts.get(key, old.read(name)))
    return found.getvalue()


def sheet(data):
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{main}"><sheetData>{data}</sheetData></worksheet>'


def text_cell(text):
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (f"<row>{'<c/>' * (MAX_COLUMNS + 1)}</row>", "columns"),
        ('<row r="1"><c r="XFD1"><v>1</v></c></row>', "columns"),
        ('<row r="1"><c r="AAAAAAA1"><v>1</v></c></row>', "columns"),
        (f"<row>{text_cell(' ' * (4 * MAX_ROW_LENGTH + 1))}</row>", "characters"),
        ('<row r="999999999"><c><v>1</v></c></row>', "rows"),
        ('<row r="1"><c r="A1" t="e"><v>#N/A</v></c></row>', "Cell A1 holds an error"),
        ('<row r="1"><c r="A1"><f>1+1</f></c></row>', "Cell A1 holds a formula without its result"),
        ("<row><c><v>x</v></c></row>", "not a workbook that can be read"),
        ("<row>", "not a workbook that can be read"),
    ],
    ids=lambda value: value[:40],
)
def test_a_sheet_that_is_too_large_or_wrong_is_refused(data, message):
    assert message in error_of(workbook(sheet1=sheet(data)))


def test_a_document_type_is_refused_with_all_that_it_could_define():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + sheet("<row><c><v>&a;</v></c></row>")
    assert "document type" in error_of(workbook(sheet1=bomb))


def test_an_archive_that_is_no_workbook_is_refused():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("hello.txt", "x")
    assert "not a workbook that can be read" in error_of(made.getvalue())
    assert "not a workbook that can be read" in error_of(b"PK\x03\x04 cut off")


def test_an_opendocument_file_is_refused_with_what_to_do():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", f"<x>{' ' * 5 * 2**20}</x>")
    assert "save it as .xlsx or CSV" in error_of(file.getvalue())


def test_the_result_of_a_formula_is_read_and_the_formula_is_not_run():
    data = '<row><c><f>WEBSERVICE("http://x/")</f><v>3</v></c></row>'
    assert read(workbook(sheet1=sheet(data))) == [(1, ["3"])]


class Spaces(io.RawIOBase):
    """A file of `size` spaces, made while it is read."""

    def __init__(self, size):
        self.size, self.position = size, 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, position, whence=0):
        self.position = position
        return position

    def readinto(self, buffer):
        number = min(len(buffer), self.size - self.position)
        buffer[:number] = b" " * number
        self.position += number
        return number


def peak_of(reads):
    tracemalloc.start()
    try:
        reads()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_two_gigabytes_of_spaces_are_refused_in_flat_memory():
    def reads():
        with pytest.raises(UnreadableFileError, match="characters"):
            list(reading.rows(io.BufferedReader(Spaces(2**31))))

    assert peak_of(reads) < 32 * 2**20


def test_a_row_that_never_ends_is_refused_in_flat_memory():
    rows = b'"a\n",' * (MAX_ROW_LENGTH // 2)
    assert "Is a quote missing?" in error_of(rows)


def test_a_zip_bomb_is_refused_in_flat_memory():
    chunk = b" " * 2**20
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w") as part,
    ):
        for _ in range(100):
            part.write(chunk)
    file = io.BytesIO(packed.getvalue())

    def reads():
        with pytest.raises(UnreadableFileError, match="characters"):
            list(reading.rows(file))

    assert peak_of(reads) < 32 * 2**20
    with pytest.raises(UnreadableFileError, match="more than 50 MB"):
        list(reading.rows(file, max_size=50 * 2**20))


def test_more_shared_texts_than_a_page_can_hold_are_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f"<sst>{'<si/>' * 2**18}</sst>")
    with pytest.raises(UnreadableFileError, match=r"sharedStrings.xml has more than 1 MB"):
        list(reading.rows(file, max_size=8 * 2**20))


def test_a_long_text_that_each_cell_names_is_refused_in_flat_memory():
    book = openpyxl.Workbook()
    book.active.append(["_x0041_" * 4_000] * MAX_COLUMNS)  # which is stored once
    file = io.BytesIO()
    book.save(file)

    def reads():
        with pytest.raises(UnreadableFileError, match="A row has more than"):
            list(reading.rows(file))

    assert peak_of(reads) < 32 * 2**20


@pytest.mark.parametrize("name", ["xl/sheet.xml", "xl/worksheets/sheet.bin"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('<row r="1"><c r="XFD1"><v>1</v></c></row>', "more than 1200 columns"),
        (f"<row>{text_cell(' ' * 4 * MAX_ROW_LENGTH)}</row>", "more than 4 MB"),
    ],
    ids=["columns", "characters"],
)
def test_a_sheet_that_goes_by_another_name_is_refused_likewise(name, data, message):
    target = f"/{name}".encode()
    made = zipfile.ZipFile(io.BytesIO(workbook(sheet1=sheet(data))))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for old in made.namelist():
            content = made.read(old).replace(b"worksheets/sheet1.xml", target)
            archive.writestr(name if old.endswith("sheet1.xml") else old, content)
    assert message in error_of(file.getvalue())


def test_rows_of_much_text_make_a_batch_of_fewer():
    rows = [(number, ["x" * MAX_ROW_LENGTH]) for number in range(6)]
    assert [len(batch) for batch in reading.batches(rows, 1000)] == [5, 1]
    assert [len(batch) for batch in reading.batches(rows, 2)] == [2, 2, 2]


def test_without_openpyxl_a_workbook_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setattr(workbooks, "openpyxl", None)
    assert "Save it as CSV" in error_of((FILES / "people.xlsx").read_bytes())
