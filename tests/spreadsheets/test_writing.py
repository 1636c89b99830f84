import csv
import io

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from users.spreadsheets import cells, reading, writing

FORMATS = [pytest.param(write, id=name) for name, (_, write) in writing.FORMATS.items()]
RISKY = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "a;=1", "a\n=1", "＝1"]


def written(write, rows, header=("A", "B")):
    return b"".join(write(header, rows))


def read(content):
    rows = [row for _, row in reading.rows(io.BytesIO(content))][1:]
    return [[cells.unprotect(cell) for cell in row] for row in rows]


@pytest.mark.parametrize("write", FORMATS)
@pytest.mark.parametrize(
    "text", [*RISKY, "-", "'t Hooft", "_x0041_", "a\x01\x1f", " a ", '"', "é|"]
)
def test_a_text_is_read_back_as_it_was(write, text):
    assert read(written(write, [["x", text]])) == [["x", text]]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_any_text_is_read_back_from_either_file(text):
    for _, write in writing.FORMATS.values():
        assert read(written(write, [["x", text]])) == [["x", text]]


@pytest.mark.parametrize("text", RISKY)
def test_no_cell_begins_as_a_formula(text):
    content = written(writing.csv_file, [[text, text]]).decode("utf-8-sig")
    for separator in ",;\t":  # whatever the program's country has
        for row in csv.reader(io.StringIO(content, newline=""), delimiter=separator):
            assert not [cell for cell in row if cell.startswith(tuple("=+-@\t\r\n"))]


@pytest.mark.parametrize("text", RISKY)
def test_a_workbook_holds_texts_and_no_formulas(text):
    book = openpyxl.load_workbook(io.BytesIO(written(writing.xlsx_file, [[text, "b"]])))
    assert [cell.data_type for cell in book.worksheets[0][2]] == ["s", "s"]


def test_numbers_and_booleans_of_a_workbook_are_no_texts():
    book = openpyxl.load_workbook(io.BytesIO(written(writing.xlsx_file, [[-2.5, True]])))
    assert [cell.value for cell in book.worksheets[0][2]] == [-2.5, True]


def test_a_csv_file_has_a_byte_order_mark_for_excel():
    assert written(writing.csv_file, []).startswith(b"\xef\xbb\xbfA,B\r\n")


@pytest.mark.parametrize("write", FORMATS)
def test_the_first_bytes_come_before_the_rows_are_there(write):
    def rows():
        raise AssertionError("not yet")
        yield

    assert next(iter(write(["A"], rows())))


@pytest.mark.parametrize(
    ("column", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")]
)
def test_columns_have_the_letters_of_spreadsheet_programs(column, name):
    assert cells.letters(column) == name


@pytest.mark.parametrize(
    ("cell", "text"), [("'=1", "=1"), ("''=1", "'=1"), ("'-", "-"), ("'t", "'t")]
)
def test_only_an_apostrophe_that_protects_is_taken_away(cell, text):
    assert cells.unprotect(cell) == text
