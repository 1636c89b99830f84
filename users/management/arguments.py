"""Types of the commands' arguments."""

import argparse
import re

from users.models import AccessToken


def days(text: str) -> int:
    if not (re.fullmatch("[0-9]{1,9}", text) and 1 <= int(text) <= AccessToken.MAX_DAYS):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a number of days from 1 to {AccessToken.MAX_DAYS}"
        )
    return int(text)
