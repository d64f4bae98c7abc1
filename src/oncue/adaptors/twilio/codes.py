"""Twilio's error codes: what each means, what to do about it, and whose fault it is.

One line a code: number | kind | blame | meaning | what to do. The kinds are those of the reference: *permanent* for this message,
*recipient* for this number, *opt_out*, *account* (configuration; nothing of the kind will be accepted until it is mended),
*transient* (not processed, or worth another try by a rule), *ambiguous* (it may have been accepted). Twilio publishes no such classes, and
calls codes "subject to change", so a code that is not here is judged by its HTTP status.

An account, a sender or a country is blamed only where everything that goes that way is refused: blame pauses it.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from oncue.core.outcome import Blame


class Kind(StrEnum):
    """What a code says about trying again."""

    PERMANENT = "permanent"
    RECIPIENT = "recipient"
    OPT_OUT = "opt_out"
    ACCOUNT = "account"
    TRANSIENT = "transient"
    AMBIGUOUS = "ambiguous"


class Meaning(msgspec.Struct, frozen=True):
    """One code, explained."""

    code: str
    kind: Kind
    blame: Blame
    says: str
    remedy: str


_SYNCHRONOUS = """
20003 | account | account | Twilio refused the credentials. | Check Account SID and Auth Token (or API key and secret) in the Twilio adaptor.
20005 | account | account | The Twilio account is not active. | Log in to the Twilio console and settle what it asks for.
10001 | account | account | The Twilio account is not active. | Log in to the Twilio console and settle what it asks for.
90010 | account | account | The Twilio account is not active. | Log in to the Twilio console and settle what it asks for.
20006 | account | account | Twilio denies access to this resource. | Check what the API key may do, and the account's permissions.
20403 | account | account | Twilio forbids this to the account. | Check what the API key may do, and the account's permissions.
20008 | account | account | These are test credentials, which cannot do this. | Use the account's live Account SID and Auth Token.
20404 | account | account | Twilio has no such account or resource. | Check the Account SID, the region and the API base URL.
20429 | transient | provider | Twilio asks for fewer requests at a time. | It is tried again by itself.
20500 | ambiguous | provider | Twilio had an internal error; the message may have been accepted. | Look for it in the Twilio console before sending again.
20503 | ambiguous | provider | Twilio was unavailable; the message may have been accepted. | Look for it in the Twilio console before sending again.
20504 | ambiguous | provider | Twilio timed out; the message may have been accepted. | Look for it in the Twilio console before sending again.
21201 | permanent | recipient | There is no number to send to. | Give the recipient's number with + and country code.
21211 | recipient | recipient | The recipient's number is not valid. | Correct the user's number.
21212 | permanent | message | The sender is not valid. | Use a number or sender ID of this Twilio account.
21217 | recipient | recipient | The recipient's number does not look like one. | Correct the user's number.
21266 | permanent | message | Recipient and sender are the same number. | Send to another number.
21267 | account | sender | A trial account cannot send from an alphanumeric sender ID. | Send from a number, or upgrade the account.
21408 | account | country | The account may not send to this country. | Allow it in the Twilio console, under Messaging, Geo permissions.
21602 | permanent | message | The message has no body. | Give the message a body.
21603 | permanent | message | There is no sender. | Give a sender number or a messaging service.
21604 | permanent | recipient | There is no recipient. | Give the user's number.
21606 | permanent | message | The sender cannot send messages to this recipient. | Use a sender of the account that can send to this country.
21608 | permanent | recipient | A trial account sends to verified numbers only. | Verify the number in the Twilio console, or upgrade the account.
21609 | permanent | message | The status callback's address is not valid. | Check ONCUE_PUBLIC_URL: http or https, a public host without underscores.
21610 | opt_out | recipient | The person opted out of messages from this sender. | Nothing is sent to them until they reply START.
21611 | transient | sender | The sender's queue at Twilio is full. | It is tried again; lower the sender's rate, or use more senders.
21612 | recipient | recipient | Twilio cannot route messages from this sender to this recipient. | Use another sender for this country.
21614 | recipient | recipient | The recipient's number is not a mobile number. | Ask the user for a mobile number.
21616 | permanent | message | The sender matches several numbers of the account. | Give the sender's number in full.
21617 | permanent | message | The body is longer than 1,600 characters. | Shorten the text.
21618 | permanent | message | The body cannot be sent. | Shorten or change the text.
21619 | permanent | message | The message has neither body nor media. | Give a body, a picture or a content template.
21620 | permanent | message | A media URL is not valid. | Give a public http or https address.
21621 | account | sender | The sender cannot send pictures. | Use a sender that can, or send a text without a picture.
21622 | account | sender | Pictures are not enabled for this sender. | Enable MMS for it, or send a text without a picture.
21623 | permanent | message | There are more than ten media URLs. | Give ten at most.
21624 | permanent | message | The validity period is not valid. | Give 1 to 36000 seconds.
90007 | permanent | message | The validity period is not valid. | Give 1 to 36000 seconds.
30045 | permanent | message | The validity period is not valid. | Give 1 to 36000 seconds.
21635 | recipient | recipient | The recipient's number is a landline. | Ask the user for a mobile number.
21653 | permanent | message | Twilio cannot take this message as it is. | See Twilio's page of the error.
21654 | permanent | message | There is no such content template. | Check the Content Template SID.
21655 | permanent | message | The content template's SID is not valid. | Check the Content Template SID.
21656 | permanent | message | The content variables are not valid. | Check them against the template's placeholders.
21657 | permanent | message | The content template cannot be sent this way. | Check the template and its variables.
21658 | permanent | message | The content template's variables cannot be used. | Check the template and its variables.
21659 | account | sender | The sender is not a Twilio number, or a short code of another country. | Use a sender of this Twilio account.
21660 | account | sender | The sender does not belong to this account. | Use a sender of this Twilio account.
21661 | account | sender | The sender cannot send texts. | Use a sender that can.
21664 | permanent | message | The fallback sender cannot be used. | See Twilio's page of the error.
21666 | permanent | message | The fallback sender cannot be used. | See Twilio's page of the error.
21667 | permanent | message | The fallback sender cannot be used. | See Twilio's page of the error.
21701 | account | sender | There is no such messaging service. | Check the Messaging Service SID.
21702 | account | sender | The messaging service cannot be used. | Check it in the Twilio console.
21703 | permanent | message | No sender of the messaging service can send this. | Add a sender to the service that can send to this country, or send pictures.
21704 | account | sender | The messaging service has no senders. | Add a number to its sender pool.
21705 | account | sender | The messaging service's SID is not valid. | Check the Messaging Service SID.
21709 | account | sender | The messaging service cannot be used so. | Check it in the Twilio console.
21711 | account | sender | The messaging service cannot be used so. | Check it in the Twilio console.
21712 | account | sender | The messaging service cannot be used so. | Check it in the Twilio console.
35111 | permanent | message | Twilio cannot schedule this message. | See Twilio's page of the error.
35114 | permanent | message | Twilio cannot schedule this message for then. | See Twilio's page of the error.
35115 | permanent | message | Twilio cannot schedule this message for then. | See Twilio's page of the error.
35117 | permanent | message | Twilio cannot schedule this message for then. | See Twilio's page of the error.
35118 | permanent | message | Twilio cannot schedule this message. | See Twilio's page of the error.
35125 | transient | account | Too many messages are scheduled at Twilio. | It is tried again.
35126 | permanent | message | Twilio cannot schedule this message. | See Twilio's page of the error.
30409 | permanent | message | The message is final at Twilio and cannot be canceled. | Nothing is to be done.
"""

_ASYNCHRONOUS = """
30001 | transient | sender | The sender's queue at Twilio overflowed. | Lower the sender's rate, or use more senders; then send again.
30002 | account | account | The Twilio account was suspended before the message went out. | Log in to the Twilio console and settle what it asks for.
30003 | transient | recipient | The handset could not be reached: switched off, or without coverage. | Try again later; if it stays so, the number is bad.
30004 | recipient | recipient | The recipient's carrier blocks messages to this number, or the person opted out there. | Use another channel.
30005 | recipient | recipient | The number is unknown, or no longer in use. | Correct the user's number.
30006 | recipient | recipient | The number is a landline, or its carrier cannot be reached. | Ask the user for a mobile number.
30007 | permanent | message | The message was filtered as spam, or breaks a carrier's rules. | Change the text; never resend the same.
30008 | transient | provider | The carrier gave no reason. | Try once more later.
30009 | permanent | provider | A segment of an incoming message was lost. | Nothing is to be done.
30010 | permanent | message | The price is above the limit given. | See Twilio's page of the error.
30011 | permanent | message | Pictures cannot be sent on this route. | Send a text without a picture.
30017 | transient | provider | The carrier's network is congested. | Try again later.
30018 | account | sender | The carrier requires the sender to be registered. | Register the sender for this country.
30019 | permanent | message | The picture is too large for the carrier. | Send a smaller one.
30020 | transient | provider | Twilio had an internal error. | Send again.
30021 | transient | provider | Twilio had an internal error. | Send again.
30022 | transient | sender | The carrier's rate limit for this sender was exceeded. | Lower the sender's rate.
30023 | transient | sender | The sender's daily limit is reached. | Try again after midnight, US Pacific time.
30024 | account | sender | The sender is not registered for this route. | Register the sender for this country.
30025 | permanent | provider | A warning of the carrier's. | See Twilio's page of the error.
30026 | permanent | provider | A warning of the carrier's. | See Twilio's page of the error.
30027 | transient | sender | The sender's daily limit is reached. | Try again after midnight, US Pacific time.
30032 | account | sender | The toll-free number is not verified. | Verify it in the Twilio console.
30033 | account | sender | The sender's campaign is suspended. | Settle its registration (A2P 10DLC) in the Twilio console.
30034 | account | sender | The number is not registered for sending to US numbers. | Register it (A2P 10DLC) in the Twilio console.
30035 | transient | sender | The number is still being set up. | Try again later.
30036 | transient | message | It was still queued when its validity period ended. | Send again if it is still of use.
30039 | permanent | message | Twilio cut a loop of messages answering each other. | Look for two machines that text each other.
30040 | account | sender | The sender is not registered for this route. | Register the sender for this country.
30410 | ambiguous | provider | A carrier timed out; the message may have been delivered. | Do not send again without need.
30450 | transient | country | Twilio's fraud guard holds back messages to these numbers. | Try again after half an hour, or review the guard in the console.
30610 | transient | message | Rules of the country forbid messages at this hour. | Send again by day.
30630 | opt_out | recipient | The person opted out of messages from this sender. | Nothing is sent to them until they reply START.
30640 | permanent | recipient | The number is on a list of numbers not to be texted. | Do not text it.
63017 | transient | provider | The account's rate over channels was exceeded. | Lower the rate.
"""


def _read(table: str) -> dict[str, Meaning]:
    rows = (line.split(" | ") for line in table.strip().splitlines())
    return {code: Meaning(code, Kind(kind), Blame(blame), says, remedy) for code, kind, blame, says, remedy in rows}


MEANINGS = _read(_SYNCHRONOUS) | _read(_ASYNCHRONOUS)
"""By code, as text."""
