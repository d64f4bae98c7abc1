"""What a text takes on the wire is said before it is sent, and which character makes it dear."""

import pytest

from oncue.adaptors.twilio import segments
from oncue.adaptors.twilio.preview import preview


@pytest.mark.parametrize(
    ("body", "encoding", "taken"),
    [
        ("Hi", "GSM-7", "1 segment, 158 characters left"),
        ("a" * 160, "GSM-7", "1 segment, 0 characters left"),
        ("a" * 159, "GSM-7", "1 segment, 1 character left"),
        ("a" * 161, "GSM-7", "2 segments, 145 characters left"),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", "3 segments, 152 characters left"),
        ("Don’t", "UCS-2, because of ’ (right single quotation mark)", "1 segment, 65 characters left"),
        ("ç" * 71, "UCS-2, because of ç (latin small letter c with cedilla)", "2 segments, 63 characters left"),
        ("`«»–", "UCS-2, because of ` (grave accent), « (left-pointing double angle quotation mark), » (right-pointing double angle quotation mark) and 1 more", "1 segment, 66 characters left"),
    ],
)  # fmt: skip
def test_characters_encoding_and_segments(body, encoding, taken):
    facts = dict(preview({"body": body}).facts)
    assert facts == {"Characters": str(len(body)), "Encoding": encoding, "Segments": taken}


@pytest.mark.parametrize("body", ["", "a" * 150, "a" * 300, "é" * 70, "ç" * 60, "😀" * 33, "a" * 152 + "€"])
def test_what_is_left_fits_and_one_more_does_not(body):
    left = segments.left(body)
    taken = segments.count(body).count
    assert segments.count(body + "a" * left).count == taken
    assert segments.count(body + "a" * (left + 1)).count == taken + 1


def test_pictures_are_shown_and_a_content_template_is_not_guessed():
    with_picture = preview({"body": "Look", "media_urls": ["https://a.example/1.png"]})
    assert (with_picture.text, with_picture.pictures) == ("Look", ("https://a.example/1.png",))
    assert preview({"content_sid": "HX" + "0" * 32}).text == ""
    assert preview({}).facts == ()


def test_many_segments_and_smart_encoding_are_said():
    assert preview({"body": "a" * 500}).warnings == ("Each of the 4 segments is charged.",)
    assert "Smart encoding is on" in preview({"body": "Don’t", "smart_encoded": True}).warnings[0]
