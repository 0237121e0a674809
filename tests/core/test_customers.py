"""Creating and changing customers: by external id, again and again, with the same result."""

from threading import Barrier, Thread
from typing import Any

import pytest
from sqlmodel import col, select

from crmkit import (
    AddressInput,
    ContactInput,
    Crm,
    CustomerInput,
    ErrorPolicy,
    ValidationFailed,
    hookimpl,
)
from crmkit.batches import CustomerBatch
from crmkit.manifest import Plugin
from crmkit.models import ContactPoint, Customer, CustomerAddress, CustomerTag
from crmkit.testing import CrmFactory

ROWS = ErrorPolicy.REJECT_ROWS


def given(external_id: Any = "c", **fields: Any) -> CustomerInput:
    return CustomerInput("crm", external_id, **fields)


def upsert(crm: Crm, *inputs: CustomerInput) -> list[str]:
    """Upsert and return, for each row, its outcome or the code of its first problem."""
    results = crm.upsert_customers(inputs, policy=ROWS)
    return [each.problems[0].code if each.problems else str(each.outcome) for each in results]


def contacts(crm: Crm) -> dict[str, bool]:
    """Return each contact value and whether it is the primary one."""
    with crm.read() as session:
        found = select(ContactPoint.value, ContactPoint.is_primary)
        return dict(session.exec(found).all())


def stored(crm: Crm) -> Customer:
    with crm.read() as session:
        return session.exec(select(Customer)).one()


def test_a_customer_is_created_once_and_then_known(crm: Crm) -> None:
    li = given(
        given_name="伟", family_name="李", gender="male", birth_on="1988-02-29", language="zh-CN",
        contact_points=[ContactInput("phone", "138 0013 8000"), ContactInput("email", "Li@Ex.com")],
        addresses=[AddressInput(country="CN", city="上海")], tags=["vip", "tea"],
    )  # fmt: skip

    outcomes = [*upsert(crm, li), *upsert(crm, li), *upsert(crm, given())]

    assert outcomes == ["taken", "known", "known"]
    assert (stored(crm).display_name, stored(crm).lifecycle) == ("李伟", "prospect")
    assert contacts(crm) == {"+8613800138000": True, "li@ex.com": True}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"given_name": "Ann", "family_name": "Lee"}, "Ann Lee"),
        ({"given_name": "Ann"}, "Ann"),
        ({"family_name": "欧阳", "given_name": "娜娜"}, "欧阳娜娜"),
        ({"given_name": "Ann", "display_name": "Miss A."}, "Miss A."),
        ({}, ""),
    ],
)
def test_a_whole_name_is_put_together_where_none_is_given(
    crm: Crm, fields: dict[str, str], name: str
) -> None:
    upsert(crm, given(**fields))

    assert stored(crm).display_name == name


def test_what_is_not_sent_stays_and_null_empties(crm: Crm) -> None:
    upsert(crm, given(given_name="Ann", occupation="baker", gender="female"))

    upsert(crm, given(occupation="miller", gender=None))

    customer = stored(crm)
    assert (customer.given_name, customer.occupation, customer.gender) == ("Ann", "miller", None)


def test_a_later_row_of_a_batch_wins_over_an_earlier(crm: Crm) -> None:
    outcomes = upsert(crm, given(given_name="Ann"), given(given_name="Bea"), given(tags=["x"]))

    assert outcomes == ["taken", "taken", "taken"]
    assert stored(crm).given_name == "Bea"


def test_the_first_contact_of_a_kind_is_primary_unless_another_is_chosen(crm: Crm) -> None:
    first, second = ContactInput("email", "a@ex.com"), ContactInput("email", "b@ex.com", True)

    upsert(crm, given(contact_points=[first, second]))

    assert contacts(crm) == {"a@ex.com": False, "b@ex.com": True}


def test_a_primary_contact_stays_primary_when_it_is_sent_again(crm: Crm) -> None:
    upsert(crm, given(contact_points=[ContactInput("email", "a@ex.com", True)]))
    again = ContactInput("email", "A@EX.com", verified_at="2026-01-01T00:00:00Z")

    outcomes = upsert(crm, given(contact_points=[again, ContactInput("email", "b@ex.com")]))

    assert outcomes == ["taken"]
    assert contacts(crm) == {"a@ex.com": True, "b@ex.com": False}


def test_choosing_another_primary_contact_takes_the_flag_from_the_old(crm: Crm) -> None:
    upsert(crm, given(contact_points=[ContactInput("email", "a@ex.com")]))
    change = given(contact_points=[ContactInput("email", "b@ex.com", True)])

    outcomes = [*upsert(crm, change), *upsert(crm, change)]

    assert outcomes == ["taken", "known"]
    assert contacts(crm) == {"a@ex.com": False, "b@ex.com": True}


def test_an_address_replaces_that_of_its_kind_and_tags_add_up(crm: Crm) -> None:
    upsert(crm, given(addresses=[AddressInput(city="上海")], tags=["a", "b"]))

    upsert(crm, given(addresses=[AddressInput(city="北京"), AddressInput("work")], tags=["b", "c"]))

    with crm.read() as session:
        addresses = session.exec(
            select(CustomerAddress.kind, CustomerAddress.city).order_by(col(CustomerAddress.kind))
        ).all()
        tags = session.exec(select(CustomerTag.tag).order_by(col(CustomerTag.tag))).all()
    assert (list(addresses), list(tags)) == ([("home", "北京"), ("work", None)], ["a", "b", "c"])


def test_customers_are_found_by_contact_oldest_first(crm: Crm) -> None:
    shared = ContactInput("phone", "13800138000")
    results = crm.upsert_customers([given(n, contact_points=[shared]) for n in "ab"])

    with crm.read() as session:
        shared_by = select(ContactPoint.customer_id).where(ContactPoint.value == "+8613800138000")
        found = set(session.exec(shared_by))

    assert found == {result.id for result in results}


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"external_id": ""}, "REQUIRED", "externalId"),
        ({"gender": "none"}, "UNKNOWN_VALUE", "gender"),
        ({"gender": []}, "UNKNOWN_VALUE", "gender"),
        ({"gender": False}, "UNKNOWN_VALUE", "gender"),
        ({"lifecycle": "dead"}, "UNKNOWN_VALUE", "lifecycle"),
        ({"birth_on": "2026-06-16"}, "OUT_OF_RANGE", "birthOn"),  # tomorrow in the shop
        ({"birth_on": "1879-12-31"}, "OUT_OF_RANGE", "birthOn"),
        ({"birth_on": "29.02.1988"}, "INVALID_DATE", "birthOn"),
        ({"language": "Chinese!"}, "UNKNOWN_VALUE", "language"),
        ({"given_name": "x" * 10_000_000}, "INVALID_TEXT", "givenName"),
        ({"tags": "vip"}, "UNKNOWN_VALUE", "tags"),
        ({"tags": [None]}, "UNKNOWN_VALUE", "tags[0]"),
        ({"tags": ["x"] * 51}, "TOO_MANY", "tags"),
        ({"addresses": [AddressInput(country="China")]}, "UNKNOWN_VALUE", "addresses[0].country"),
        ({"addresses": [AddressInput(), AddressInput()]}, "TOO_MANY", "addresses[1].kind"),
        ({"contact_points": None}, "UNKNOWN_VALUE", "contactPoints"),
        ({"contact_points": [ContactInput("fax", "1")]}, "UNKNOWN_VALUE", "contactPoints[0].kind"),
    ],
)
def test_a_malformed_customer_says_which_field_is_wrong(
    crm: Crm, fields: dict[str, Any], code: str, field: str
) -> None:
    [result] = crm.upsert_customers([given(**fields)], policy=ROWS)

    assert (code, field) in [(problem.code, problem.field) for problem in result.problems]


@pytest.mark.parametrize(
    ("contact", "code", "field"),
    [
        (ContactInput("phone", "12345"), "INVALID_CONTACT", "value"),
        (ContactInput("email", "nobody"), "INVALID_CONTACT", "value"),
        (ContactInput("social", ""), "REQUIRED", "value"),
        (ContactInput("social", "@b", "no"), "UNKNOWN_VALUE", "isPrimary"),  # type: ignore[arg-type]
        (ContactInput("social", "@b", True), "TOO_MANY", "isPrimary"),
        (ContactInput("social", "@b", verified_at="2026-01-01"), "INVALID_TIME", "verifiedAt"),
    ],
)
def test_a_malformed_contact_point_says_where_it_stands(
    crm: Crm, contact: ContactInput, code: str, field: str
) -> None:
    both = [ContactInput("social", "@a", True), contact]

    [result] = crm.upsert_customers([given(contact_points=both)], policy=ROWS)

    [problem] = result.problems
    assert (problem.code, problem.field) == (code, f"contactPoints[1].{field}")


def test_one_bad_customer_refuses_the_batch(crm: Crm) -> None:
    with pytest.raises(ValidationFailed):
        crm.upsert_customers([given("a"), given("b", gender="?")])

    with crm.read() as session:
        assert session.exec(select(Customer)).all() == []


class Listener:
    """Keeps what it is told."""

    plugin = Plugin(name="listener", version="1", summary="Listens.")

    def __init__(self) -> None:
        self.heard: list[tuple[int, int]] = []

    @hookimpl
    def customers_upserted(self, batch: CustomerBatch) -> None:
        self.heard.append((len(batch.created), len(batch.changed)))


def test_plugins_hear_of_created_and_changed_customers_only(crm_factory: CrmFactory) -> None:
    listener = Listener()
    crm = crm_factory(listener)

    upsert(crm, given("a"), given("b"), given("a", tags=["x"]))
    upsert(crm, given("a"), given("b", tags=["y"]), given("c"))
    upsert(crm, given("a"))

    assert listener.heard == [(2, 0), (1, 1)]


def test_writers_of_the_same_customers_end_with_one_of_each(crm: Crm) -> None:
    phone = ContactInput("phone", "13800138000")
    batch = [given(str(n), contact_points=[phone], tags=["x"]) for n in range(20)]
    ready, answers = Barrier(4), []

    def write() -> None:
        ready.wait()
        answers.append(tuple(result.id for result in crm.upsert_customers(batch)))

    threads = [Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 4
    assert len(set(answers)) == 1
