"""What is generated, and how often."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

generated = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,  # the same in every run: CI is no lottery
    # The user that the requests are for may stay from one to the next.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# Text with all that Unicode has, also what no encoding has: lone surrogates.
texts = st.text(st.characters(), max_size=300) | st.sampled_from(
    ["", " ", "\0", "\ud800", "\udfff\ud800", "\u202e", "e\u0301" * 80, "\U0010ffff", "x" * 256]
)

numbers = (
    st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([2**53, 2**63, 2**64, -0.0, 5e-324, 1.7976931348623157e308])
)

scalars = st.none() | st.booleans() | numbers | texts

values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=60) | st.dictionaries(texts, inner, max_size=8),
    max_leaves=40,
)

PARAMETERS = [
    "first_name",
    "last_name",
    "status",
    "job_description",
    "login_using_email",
    "custom_attributes",
    "skill_attributes",
]

keys = st.sampled_from(["business", "location", "count", "flag", "several", "chess"]) | texts

attribute_objects = st.dictionaries(keys, scalars | st.lists(scalars, max_size=60), max_size=110)

bodies = st.dictionaries(
    st.sampled_from(PARAMETERS) | texts, values | attribute_objects, max_size=8
)
