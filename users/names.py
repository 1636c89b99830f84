"""Case folding of names: how login ids, emails and names of teams are compared and searched.

Sources: the Unicode Standard, sections 3.13.5 (NFKC_Casefold) and 5.21 (default ignorable code
points, which are invisible).
"""

import hashlib
import re
from unicodedata import normalize

#: The longest folded name that every database can index (PostgreSQL: 2704 bytes).
MAX_LENGTH = 450

_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def fold(name: str) -> str:
    """Return `name` folded: equal for names that differ only in case or compatibility forms.

    If the folded name is too long (some characters fold to 18), return its digest.
    """
    folded = fold_text(name)
    if len(folded) > MAX_LENGTH:
        return hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()
    return folded


def fold_text(text: str) -> str:
    """Return `text` folded, of any length."""
    if text.isascii():
        return text.lower()
    # NFD first, to put the Greek iota subscript, which folds to a letter, in canonical order.
    before, folded = "", normalize("NFD", text)
    while folded != before:
        before = folded
        folded = normalize("NFKC", _IGNORABLE.sub("", folded).casefold())
    return folded


def fold_line(text: str) -> str:
    """Return `text` folded, on one line: all white space is a space."""
    return re.sub(r"\s", " ", fold_text(text))
