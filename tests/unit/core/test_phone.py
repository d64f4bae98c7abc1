"""Reading phone numbers."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.core import phone


@given(st.integers(2_000_000_000, 9_999_999_999))
def test_a_north_american_number_in_full_reads_as_the_library_would_read_it(national):
    text = f"+1{national}"
    parsed = phonenumbers.parse(text)
    read = phone.read(text, "")
    assert read.e164 == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == text
    assert read.is_possible == phonenumbers.is_possible_number(parsed)
    assert read.country == (phonenumbers.region_code_for_number(parsed) or "US")


@pytest.mark.parametrize(
    ("text", "country", "e164", "where"),
    [
        ("+16175551212", "", "+16175551212", "US"),
        ("+14165550123", "", "+14165550123", "CA"),
        ("(617) 555-1212", "US", "+16175551212", "US"),
        ("086 123 4567", "IE", "+353861234567", "IE"),
        ("+353 (0)86 123 4567", "", "+353861234567", "IE"),
        ("+1 500 555 0006", "", "+15005550006", "US"),
        ("+16175551٢١٢", "", "+16175551212", "US"),
        ("+80012345678", "", "+80012345678", ""),
    ],
)
def test_a_number_is_brought_into_e164_with_its_country(text, country, e164, where):
    assert phone.read(text, country) == phone.Number(e164, where, True)
    assert phone.e164(text, country) == e164


@pytest.mark.parametrize(("text", "country"), [("", ""), ("call me", "US"), ("086 123 4567", ""), ("+", ""), ("+1617555CALL", "")])  # fmt: skip
def test_what_is_no_number_is_none(text, country):
    assert phone.read(text, country) is None
    assert phone.e164(text, country) == ""


@pytest.mark.parametrize("text", ["+1617", "+161755512123", "+1617555121212", "+16175551212 ext. 5", "+16175551212 #5"])
def test_what_cannot_be_called_is_not_possible(text):
    read = phone.read(text, "")
    assert read is None or not read.is_possible


@pytest.mark.parametrize("text", ["+55 0040005555", "+2٠0000((009841", "+860*0*٠١٢0.00٠١٢4١٢2", "+353 85 123 4567", "+39 06 698 12345", "+225 01 02 03 04 05"])  # fmt: skip
def test_a_number_in_e164_is_read_as_itself(text):
    """Found by fuzzing: the library took another zero away each time, so that one person had two numbers, and a STOP counted for one of them."""
    e164 = phone.e164(text, "")
    assert e164 and phone.e164(e164, "") == phone.e164(e164, "IE") == phone.read(text, "").e164 == e164
