"""What libFuzzer is told that each format is made of, so that it need not find the words letter by letter."""

from __future__ import annotations

from oncue.core.keeping import CONSENT_EVENTS
from oncue.ingest import items
from oncue.rules import conditions, templates


def words(*texts: str) -> list[str]:
    """Words for libFuzzer's dictionary."""
    return list(dict.fromkeys(word for text in texts for word in text.split()))


_JSON = 'true false null 1e400 -0.0 9223372036854775808 \\u0000 \\ud800 "" [] {} {"items":[ ]} "$x":'
WORDS = {
    "table": words('user address scope source lifted email phone_number "" true no , ; $x +353851234567 ann@example.com MG0123'),
    "sdk": words(_JSON, *(f"{kind} /{path}" for kind, path in (("POST", "v1/batch"), ("POST", "v1/track"), ("POST", "v1/identify"), ("POST", "v1/alias"), ("POST", "1/batch"), ("GET", "1/event?"), ("POST", "1/user"), ("POST", "identify"))), *(f'"{one}":' for one in ("batch", "type", "userId", "anonymousId", "previousId", "messageId", "timestamp", "sentAt", "traits", "context", "properties", "event", "name", "data", "user", "session_token", "time", "seqnum", "payload", "attributes", "campaignType", "swrve_id", "external_user_id", "api_key", "phone")), '"track" "identify" "page" "group" "device_update" "iap" "purchase" "generic_campaign_event" api_key= user= swrve_payload= name= cost= %KEY% %APIKEY% %TOKEN% %%'),
    "ingest": words(_JSON, *(f'"{name}":' for name in sorted(set().union(*items._FIELDS.values()))), *(f'"{one}"' for one in ("event", "user", "consent", "opted_in", "promotional", *CONSENT_EVENTS, "oncue.x", "2026-11-23T17:00:00Z"))),
    "callback": words("status message application/json bodySHA256= MessageSid= MessageStatus= SmsStatus=received From=%2B1 To= ErrorCode=30003 NumMedia= MediaUrl0= Body=STOP OptOutType= AccountSid= %00 &amp; %%"),
    "condition": words(_JSON, *conditions.OPERATORS, "event. user. event[\"a\"] event[0] all any not .$name .$id \"(?i)a+\" 2026-01-01T00:00 %%"),
    "period": words("s m h d 90s 30d ٣ 1_0"),
    "document": words("api_keys: adaptors: policy: rules: key: name: state: category: triggers: conditions: actions: action: send_within: ${env:TOKEN} &a *a !!python/object <<: | > - \"on\" off transactional promotional twilio.send_message user.update event.emit email.send"),
    "rule": words(_JSON, *(f'"{one}":' for one in ("key", "name", "state", "category", "triggers", "conditions", "actions", "action", "body", "to", "send_within", "ignore_quiet_hours")), '"twilio.send_message" "event.emit" "webhook.post" "user.update" "transactional"'),
    "template": words("{{ }} {% %} event. user. event.n user.t if endif elsif else for endfor in limit: offset: reversed (1..event.n) (1..9999999999) assign capture endcapture case when endcase unless endunless cycle tablerow endtablerow raw endraw comment endcomment liquid echo break continue macro include render %%", *(f"| {name}" for name in templates._PLAIN.filters)),
    "number": words("+ 00 ;ext= tel: ٠١٢ ０１ US GB IE IT DE %%"),
}  # fmt: skip
