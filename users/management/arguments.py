"""Types of the commands' arguments."""

import argparse
import re

from users.models import AccessToken


def days(text: str) -> int:
    return _number(text, AccessToken.MAX_DAYS, "days")


def rate_limit(text: str) -> int:
    return _number(text, AccessToken.MAX_RATE_LIMIT, "calls")


def _number(text: str, maximum: int, counted: str) -> int:
    if not (re.fullmatch("[0-9]{1,10}", text) and 1 <= int(text) <= maximum):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a number of {counted} from 1 to {maximum}"
        )
    return int(text)
