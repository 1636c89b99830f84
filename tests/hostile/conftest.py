import pytest

from tests.factories import AttributeDefinitionFactory, ChoiceFactory


@pytest.fixture(autouse=True)
def definitions(db):
    ChoiceFactory(name="business")
    ChoiceFactory(name="several", type="multiple_choice")
    ChoiceFactory(kind="skill", name="several", type="multiple_choice")
    AttributeDefinitionFactory(kind="skill", name="count", type="number")
    AttributeDefinitionFactory(kind="skill", name="flag", type="boolean")
