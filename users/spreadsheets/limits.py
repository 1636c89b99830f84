"""What a file may have, so that reading it takes little memory."""

#: Of a file: more than the attributes that can be defined.
MAX_COLUMNS = 1_200

#: Characters in a row. The widest possible user has less.
MAX_ROW_LENGTH = 1_048_576


class UnreadableFileError(Exception):
    """The file cannot be read. The message says why, and what would be right."""
