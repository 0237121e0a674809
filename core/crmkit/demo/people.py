"""Who the demo customers are: names, ages, phones, addresses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from crmkit.demo import names, places
from crmkit.demo.archetypes import Behaviour
from crmkit.demo.seasons import instant
from crmkit.demo.tastes import Tastes
from crmkit.inputs import AddressInput, ContactInput, CustomerInput

SOURCE = "demo"
CHINESE_SHARE = 0.6
_RETIREMENT_YEARS = 60


@dataclass(frozen=True, slots=True)
class Person:
    """One demo customer.

    Attributes:
        external_id: the customer's number in the demo shop.
    """

    external_id: str
    behaviour: Behaviour
    tastes: Tastes


class Registry:
    """Draws the personal data of one customer after another.

    Args:
        rng: decides everything.
        today: day on which ages are reckoned.
    """

    def __init__(self, rng: Random, today: date) -> None:
        self._rng = rng
        self._today = today
        self._drawn = 0

    def describe(self, person: Person) -> CustomerInput:
        """Return the personal data of the next customer."""
        is_chinese = self._rng.random() < CHINESE_SHARE
        gender = self._rng.choices(("female", "male"), (58, 42))[0]
        given, family = self._name(gender, is_chinese)
        age_years = self._age_years(person)
        self._drawn += 1
        return CustomerInput(
            source=SOURCE,
            external_id=person.external_id,
            display_name=family.text + given.text if is_chinese else f"{given.text} {family.text}",
            given_name=given.text,
            family_name=family.text,
            gender=gender,
            birth_on=self._today - timedelta(age_years * 365 + self._rng.randrange(365)),
            occupation=self._occupation(is_chinese, age_years),
            language="zh-CN" if is_chinese else self._rng.choice(("en-GB", "en-US")),
            contact_points=self._contact_points(person, is_chinese, given, family),
            addresses=(self._address(person, is_chinese),),
            tags=self._tags(person),
        )

    def _name(self, gender: str, is_chinese: bool) -> tuple[names.Name, names.Name]:
        if is_chinese:
            given = names.chinese_given_names(gender)
            family = names.chinese_family_names()
        else:
            given = names.english_given_names(gender)
            family = names.english_family_names()
        by_frequency = [len(family) + 4 - rank for rank in range(len(family))]
        return self._rng.choice(given), self._rng.choices(family, by_frequency)[0]

    def _age_years(self, person: Person) -> int:
        if person.tastes.child_born_on is not None:
            return self._rng.randint(25, 42)
        return min(85, max(18, round(self._rng.gauss(44, 16))))

    def _occupation(self, is_chinese: bool, age_years: int) -> str:
        if age_years >= _RETIREMENT_YEARS:
            return places.PENSIONER["zh" if is_chinese else "en"]
        return self._rng.choice(
            places.CHINESE_OCCUPATIONS if is_chinese else places.ENGLISH_OCCUPATIONS
        )

    def _contact_points(
        self, person: Person, is_chinese: bool, given: names.Name, family: names.Name
    ) -> Sequence[ContactInput]:
        joined_at = instant(person.behaviour.joined_on, 9 * 60)
        is_verified = self._rng.random() < 0.6
        phone = ContactInput(
            "phone", self._phone(is_chinese), True, joined_at if is_verified else None
        )
        local = f"{given.latin}.{family.latin}{self._drawn}"
        email = ContactInput("email", f"{local}@example.{'cn' if is_chinese else 'com'}", True)
        return self._rng.choices(((phone, email), (phone,), (email,)), (70, 22, 8))[0]

    def _phone(self, is_chinese: bool) -> str:
        if is_chinese:
            prefix = self._rng.choice(places.CHINESE_MOBILE_PREFIXES)
            return f"+86{prefix}{self._rng.randrange(10**8):08}"
        # Numbers kept free for fiction are few, so they are dealt out, not drawn.
        if self._drawn % 4 == 0:
            areas = places.AMERICAN_AREA_CODES
            turn, area = divmod(self._drawn // 4, len(areas))
            return f"+1{areas[area]}55501{turn % 100:02}"
        ranges = places.BRITISH_DRAMA_RANGES
        turn, area = divmod(self._drawn, len(ranges))
        return f"+44{ranges[area]}{turn % 1000:03}"

    def _address(self, person: Person, is_chinese: bool) -> AddressInput:
        store = person.tastes.store
        street, latin_street = self._rng.choice(store.district.streets)
        number = self._rng.randint(1, 980)
        flat = f"{self._rng.randint(1, 18)}0{self._rng.randint(1, 4)}"
        return AddressInput(
            kind="home",
            country="CN",
            region=store.region,
            city=store.city if is_chinese else store.latin_city,
            street=f"{store.district.name}{street}{number}号{flat}室"
            if is_chinese
            else f"Flat {flat}, {number} {latin_street}",
            postal_code=store.district.postal_code,
        )

    def _tags(self, person: Person) -> tuple[str, ...]:
        chances = (
            ("会员", 0.5),
            ("线上常客", 0.7 if person.tastes.online_share > 0.5 else 0.0),
            ("有孩家庭", 0.6 if person.tastes.child_born_on else 0.0),
            ("员工亲友", 0.03),
        )
        return tuple(tag for tag, chance in chances if self._rng.random() < chance)
