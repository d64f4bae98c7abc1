"""What the carrier refuses: the HTTP status, Twilio's code, Twilio's JSON. Nothing that is refused is accepted."""

import http.client
import json
from base64 import b64encode
from urllib.parse import urlencode, urlsplit

import pytest
from twilio.base.exceptions import TwilioRestException

from oncue.core import clock
from oncue.simulator import defaults

ANN = "+15005551001"
GOOD = {"To": ANN, "From": defaults.LONG_CODE, "Body": "Hello"}
MESSAGES = f"/2010-04-01/Accounts/{defaults.ACCOUNT_SID}/Messages.json"
OWNER = (defaults.ACCOUNT_SID, defaults.AUTH_TOKEN)
PICTURE = "https://example.com/a.jpg"


def ahead(seconds: int) -> str:
    return clock.iso(clock.now() + seconds * 1_000)


@pytest.fixture
def post(simulator):
    """A create as it goes over the wire: status, headers, JSON."""

    def send(body, path=MESSAGES, who=OWNER, method="POST", kind="application/x-www-form-urlencoded"):
        connection = http.client.HTTPConnection(urlsplit(simulator.url).netloc, timeout=10)
        headers = {"Content-Type": kind}
        if who:
            headers["Authorization"] = "Basic " + b64encode(":".join(who).encode()).decode()
        connection.request(method, path, body if isinstance(body, bytes) else urlencode(body, doseq=True), headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, json.loads(content or "{}")

    return send


@pytest.mark.parametrize(
    "change, code",
    [
        ({"To": None}, 21604),
        ({"To": ""}, 21604),
        ({"To": "12"}, 21211),
        ({"To": "5005551001"}, 21211),
        ({"To": "+0005551001"}, 21211),
        ({"To": "+1500555100199999"}, 21211),
        ({"To": "+1 500 555 1001"}, 21211),
        ({"To": "ann"}, 21211),
        ({"From": None}, 21603),
        ({"From": ""}, 21603),
        ({"From": "12"}, 21212),
        ({"From": "nobody?"}, 21212),
        ({"From": "AnAlphanumericNameThatIsTooLong"}, 21212),
        ({"From": "+15005559999"}, 21659),
        ({"From": "99999"}, 21659),
        ({"From": ANN}, 21266),
        ({"From": None, "MessagingServiceSid": "MG" + "0" * 32}, 21705),
        ({"Body": None}, 21619),
        ({"Body": ""}, 21619),
        ({"Body": "x" * 1601}, 21617),
        ({"Body": "😀" * 801}, 21617),  # counted in UTF-16
        ({"MediaUrl": [PICTURE] * 11}, 21623),
        ({"MediaUrl": ["ftp://example.com/a.jpg"]}, 21620),
        ({"MediaUrl": ["not an address"]}, 21620),
        ({"StatusCallback": "not an address"}, 21609),
        ({"StatusCallback": "ftp://example.com/"}, 21609),
        ({"StatusCallback": "https://my_host.example.com/status"}, 21609),
        ({"StatusCallback": "https://example.com/" + "x" * 3_981}, 21609),
        ({"ValidityPeriod": "0"}, 21624),
        ({"ValidityPeriod": "36001"}, 21624),
        ({"ValidityPeriod": "²"}, 21624),
        ({"SmartEncoded": "True"}, 21653),  # true and false are small
        ({"ContentSid": "HX1"}, 21654),
        ({"ScheduleType": "fixed", "SendAt": ahead(3_600)}, 35118),
        ({"ScheduleType": "fixed", "MessagingServiceSid": defaults.SERVICE_SID}, 35111),
        ({"ScheduleType": "fixed", "MessagingServiceSid": defaults.SERVICE_SID, "SendAt": "soon"}, 35114),
        ({"ScheduleType": "fixed", "MessagingServiceSid": defaults.SERVICE_SID, "SendAt": ahead(60)}, 35114),
        ({"ScheduleType": "fixed", "MessagingServiceSid": defaults.SERVICE_SID, "SendAt": ahead(36 * 86_400)}, 35114),
    ],
)
def test_a_bad_message_is_refused_with_twilio_s_code(post, simulator, change, code):
    form = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    status, headers, body = post(form)
    assert (status, body["code"], body["status"]) == (400, code, 400)
    assert body["message"] and body["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert headers["content-type"] == "application/json" and headers["twilio-request-id"].startswith("RQ")
    assert simulator.state(counts=True) == {"requests": 1, "accepted": 0, "inbound": 0, "callbacks": 0}


@pytest.mark.parametrize(
    "change",
    [
        {"To": "+3530861234567"},
        {"Body": "x" * 1600},
        {"Body": "😀" * 800},
        {"MediaUrl": [PICTURE] * 10, "Body": ""},
        {"StatusCallback": "https://example.com/a_path?a_query=1#rc=5&rp=all"},
        {"StatusCallback": "https://example.com/" + "x" * 3_980},
        {"StatusCallback": "https://a_user:a_word@example.com/status"},
        {"ValidityPeriod": "1"},
        {"ValidityPeriod": "36000"},
        {"ScheduleType": "fixed", "MessagingServiceSid": defaults.SERVICE_SID, "SendAt": ahead(3_000)},
        {"MessagingServiceSid": defaults.SERVICE_SID, "From": ""},
    ],
)
def test_what_is_just_within_the_limits_is_accepted(post, simulator, change):
    status, _, body = post({**GOOD, **change})
    assert status == 201, body
    assert simulator.state(counts=True)["accepted"] == 1


def test_the_package_raises_the_code_and_sentence(client):
    with pytest.raises(TwilioRestException) as refusal:
        client.messages.create(to="12", from_=defaults.LONG_CODE, body="Hello")
    assert (refusal.value.status, refusal.value.code) == (400, 21211)
    assert "Invalid 'To' Phone Number" in refusal.value.msg


def test_a_json_body_is_not_read(post, simulator):
    status, _, body = post(json.dumps(GOOD).encode(), kind="application/json")
    assert (status, body["code"]) == (400, 21604)
    assert simulator.state(counts=True)["accepted"] == 0


@pytest.mark.parametrize(
    "who, message, detail",
    [
        (None, "No credentials provided", "Your AccountSid or AuthToken was incorrect."),
        ((defaults.ACCOUNT_SID, "wrong"), "Authenticate", ""),
        ((defaults.ACCOUNT_SID, ""), "Authenticate", ""),
        ((defaults.ACCOUNT_SID, "wröng"), "Authenticate", ""),
        ((defaults.ACCOUNT_SID, defaults.TEST_AUTH_TOKEN), "Authenticate", ""),
        ((defaults.ACCOUNT_SID, defaults.API_KEY_SECRET), "Authenticate", ""),
        ((defaults.API_KEY_SID, defaults.AUTH_TOKEN), "Authenticate", ""),
        (("AC" + "0" * 32, defaults.AUTH_TOKEN), "Authenticate", ""),
    ],
)
@pytest.mark.parametrize("path", [MESSAGES, "/v1/Services"])
def test_wrong_credentials_get_a_401_with_a_detail(post, who, message, detail, path):
    status, _, body = post(GOOD, who=who, path=path)
    assert (status, body["status"], body["code"], body["detail"]) == (401, 401, 20003, detail)
    assert message in body["message"]


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", f"/2010-04-01/Accounts/{defaults.ACCOUNT_SID}/Messages/SM{'0' * 32}.json"),
        ("POST", f"/2010-04-01/Accounts/{defaults.ACCOUNT_SID}/Messages/SM{'0' * 32}.json"),
        ("DELETE", f"/2010-04-01/Accounts/{defaults.ACCOUNT_SID}/Messages/SM{'0' * 32}.json"),
        ("GET", f"/2010-04-01/Accounts/{defaults.ACCOUNT_SID}/Messages/SM{'0' * 32}/Media.json"),
        ("GET", f"/2010-04-01/Accounts/{defaults.ACCOUNT_SID}/Messages/nonsense.json"),
        ("POST", f"/2010-04-01/Accounts/AC{'0' * 32}/Messages.json"),
        ("GET", f"/2010-04-01/Accounts/{defaults.ACCOUNT_SID}/IncomingPhoneNumbers/PN{'0' * 32}.json"),
        ("GET", f"/v1/Services/MG{'0' * 32}"),
        ("GET", "/2010-04-01/Nonsense.json"),
    ],
)
def test_what_does_not_exist_is_20404(post, method, path):
    status, _, body = post({"Body": ""}, method=method, path=path)
    assert (status, body["code"]) == (404, 20404)
    assert body["message"].startswith("The requested resource ") and body["message"].endswith(" was not found")


@pytest.mark.parametrize("query", ["PageSize=many", "Page=x", "DateSent=yesterday", "DateSent%3E=2026-13-01"])
def test_a_list_with_nonsense_in_its_query_is_a_400(post, query):
    status, _, body = post(b"", method="GET", path=f"{MESSAGES}?{query}")
    assert (status, body["code"]) == (400, 20001)


def test_a_body_that_is_not_utf_8_does_not_upset_the_carrier(post):
    assert post(urlencode(GOOD).encode() + b"\xff\xfe")[0] == 201
    assert post(urlencode(GOOD).encode())[0] == 201


def test_every_answer_has_an_id_of_its_own_and_tells_how_many_requests_are_under_way(post, simulator):
    answers = [post(GOOD), post({}), post(b"", method="GET"), post(GOOD, who=None)]
    assert [status for status, _, _ in answers] == [201, 400, 200, 401]
    ids = [headers["twilio-request-id"] for _, headers, _ in answers]
    assert len(set(ids)) == 4 and all(one.startswith("RQ") and len(one) == 34 for one in ids)
    assert [headers["twilio-concurrent-requests"] for _, headers, _ in answers] == ["1"] * 4
    assert all(float(headers["twilio-request-duration"]) < 5 for _, headers, _ in answers)
