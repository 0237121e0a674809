import pytest

from crmkit.migrating.ownership import owner_of


@pytest.mark.parametrize(
    ("table", "owner"),
    [
        ("gift_card", "gift"),
        ("gift", "gift"),
        ("gift_box_row", "gift_box"),
        ("gifted", None),
        ("wish", "core"),
    ],
)
def test_a_table_belongs_to_who_declares_it_or_to_the_longest_name(
    table: str, owner: str | None
) -> None:
    assert owner_of(table, {"wish": "core"}, {"core", "gift", "gift_box", "wish"}) == owner
