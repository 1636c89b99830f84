import re
from pathlib import Path

from users.api import status_codes
from users.api.status_codes import STATUS_CODES

README = Path(status_codes.__file__).parent / "README.md"


def test_the_readme_has_the_table_of_the_code():
    rows = re.findall(r"^\| (\d{4}) \| (\d{3}) \| (.+?) \|", README.read_text(), re.MULTILINE)
    assert rows == [
        (str(code.number), str(code.http_status), code.description) for code in STATUS_CODES
    ]
