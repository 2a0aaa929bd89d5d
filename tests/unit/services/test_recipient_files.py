"""Reading recipients out of files."""

import io
import zipfile
from typing import Any

import pytest
from openpyxl import Workbook

from orchestrator.domain.errors import PonteError
from orchestrator.services import recipient_files
from orchestrator.services.recipient_files import Row, field_name, read_rows


def rows_of(content: str | bytes, region: str = "BR") -> list[Row]:
    data = content.encode() if isinstance(content, str) else content
    return list(read_rows(io.BytesIO(data), region))


def workbook_of(*rows: list[Any]) -> bytes:
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    for row in rows:
        sheet.append(row)
    written = io.BytesIO()
    workbook.save(written)
    return written.getvalue()


def refusal_of(content: str | bytes) -> str:
    with pytest.raises(PonteError) as refused:
        rows_of(content)
    assert refused.value.code.name == "IMPORT_UNREADABLE"
    return refused.value.sentence


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_with_a_heading_is_read_by_its_columns(delimiter: str) -> None:
    heading = delimiter.join(["Order No.", "Nome", "Telefone"])
    line = delimiter.join(["17", " Ana Silva ", "(11) 98765-4321"])

    assert rows_of(f"{heading}\r\n{line}\r\n") == [
        Row(2, "(11) 98765-4321", "+5511987654321", "Ana Silva", {"order_no": "17"})
    ]


def test_a_byte_order_mark_quotes_and_empty_lines_do_no_harm() -> None:
    rows = rows_of(
        '\ufeffphone_number,note\n\n"+5511987654321","two\nlines, one ""cell"""\n,\n+5511987654322\n'
    )

    assert [(row.line, row.number) for row in rows] == [(4, "+5511987654321"), (6, "+5511987654322")]
    assert rows[0].values == {"note": 'two\nlines, one "cell"'}
    assert rows[1].values == {}


def test_without_a_heading_the_first_column_is_the_number() -> None:
    assert rows_of("+5511987654321,Ana\n+5511987654322,\n") == [
        Row(1, "+5511987654321", "+5511987654321", "Ana", {}),
        Row(2, "+5511987654322", "+5511987654322", "", {}),
    ]
    assert rows_of("+5511987654321\n")[0].name == ""


def test_a_line_without_a_number_is_given_with_what_stood_there() -> None:
    assert rows_of("phone\nsoon\n")[0] == Row(2, "soon", "", "", {})


def test_a_workbook_is_read_with_its_numbers_as_spreadsheets_keep_them() -> None:
    content = workbook_of(
        ["Celular", "Name", "City", None],
        [5511987654321, "Ana", None, None],
        [5511987654322.0, None, 3.5, "lost"],
        [None, None, None, None],
    )

    assert rows_of(content) == [
        Row(2, "5511987654321", "+5511987654321", "Ana", {}),
        Row(3, "5511987654322", "+5511987654322", "", {"city": "3.5"}),
    ]


def test_what_cannot_be_read_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no lines" in refusal_of("")
    assert "names no column phone_number" in refusal_of("name,city\nAna,Recife\n")
    assert "not UTF-8" in refusal_of("phone,name\n+5511987654321,José\n".encode("latin-1"))
    assert "columns" in refusal_of("phone" + ",x" * 60)
    assert "not valid CSV" in refusal_of("phone\n" + "9" * 200_000)
    assert "damaged" in refusal_of(workbook_of(["phone"])[:200])
    monkeypatch.setattr(recipient_files, "MOST_ROWS", 2)
    assert "more than 2 lines" in refusal_of("phone\n1\n2\n")
    monkeypatch.setattr(recipient_files, "_MOST_UNPACKED_BYTES", 100)
    assert "unpacks" in refusal_of(workbook_of(["phone"]))


def test_an_archive_that_is_no_workbook_is_told() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert "damaged" in refusal_of(written.getvalue())


def test_the_callers_file_stays_open() -> None:
    file = io.BytesIO(b"phone\n+5511987654321\n")
    list(read_rows(file, "BR"))
    assert not file.closed


@pytest.mark.parametrize(
    ("heading", "name"),
    [("Order No.", "order_no"), ("Número", "numero"), ("2nd", "f_2nd"), ("__", ""), ("x" * 50, "x" * 40)],
)
def test_headings_become_names_of_variables(heading: str, name: str) -> None:
    assert field_name(heading) == name
