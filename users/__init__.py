"""The users of a customer-care chat platform, as a reusable Django app."""

__version__ = "0.1.0"
