"""Phone numbers and e-mail addresses: one mailbox, one spelling."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.contact import ContactError, normalise_email, normalise_phone


@pytest.mark.parametrize(
    ("raw", "region", "number"),
    [
        ("138 0013 8000", "CN", "+8613800138000"),
        ("+86-138-0013-8000", "GB", "+8613800138000"),
        ("１３８００１３８０００", "CN", "+8613800138000"),
        ("(020) 7946 0958", "GB", "+442079460958"),
        ("tel:+1-201-555-0123", "CN", "+12015550123"),
    ],
)
def test_a_number_is_the_same_however_it_is_typed(raw: str, region: str, number: str) -> None:
    assert normalise_phone(raw, region) == number


@pytest.mark.parametrize("raw", ["", "12345", "hello", "+86", "1380013800013800", "+999123456"])
def test_a_number_that_cannot_exist_is_refused(raw: str) -> None:
    with pytest.raises(ContactError):
        normalise_phone(raw, "CN")


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        (" Li.Wei@Example.COM ", "li.wei@example.com"),
        ("用户@例子.公司", "用户@例子.公司"),
        ("user@xn--fsqu00a.xn--0zwm56d", "user@例子.测试"),
    ],
)
def test_an_address_is_the_same_however_it_is_typed(raw: str, address: str) -> None:
    assert normalise_email(raw) == normalise_email(address)


@pytest.mark.parametrize(
    "raw", ["", "a", "a@", "@b.com", "a@b", "a b@c.com", "a@b..c", "a@b.com\x00"]
)
def test_an_address_nobody_can_write_to_is_refused(raw: str) -> None:
    with pytest.raises(ContactError):
        normalise_email(raw)


@settings(deadline=None)  # the first example loads tables
@given(st.text(max_size=200), st.sampled_from(["CN", "GB", "US", "XX"]))
def test_any_text_is_normalised_for_good_or_refused(raw: str, region: str) -> None:
    for normalise in (lambda text: normalise_phone(text, region), normalise_email):
        try:
            once = normalise(raw)
        except ContactError:
            continue
        assert normalise(once) == once
