"""The account itself, its numbers and its messaging services."""

from __future__ import annotations

from typing import Any

from oncue.simulator import defaults
from oncue.simulator.answers import Form, Problem
from oncue.simulator.world import Number, Service, World


def account_json(account: str) -> dict[str, Any]:
    """The account."""
    return {
        "sid": account,
        "friendly_name": "Simulated account",
        "status": "active",
        "type": "Full",
        "uri": f"/2010-04-01/Accounts/{account}.json",
    }


def numbers_json(world: World, query: Form) -> dict[str, Any]:
    """The account's numbers."""
    listed = [number_json(one) for one in world.numbers.values() if query.get("PhoneNumber", one.number) == one.number]
    uri = f"/2010-04-01/Accounts/{defaults.ACCOUNT_SID}/IncomingPhoneNumbers.json"
    return {
        "incoming_phone_numbers": listed, "page": 0, "page_size": 1000, "start": 0, "end": len(listed), "uri": uri,
        "first_page_uri": uri, "next_page_uri": None, "previous_page_uri": None,
    }  # fmt: skip


def number_json(number: Number) -> dict[str, Any]:
    """One number."""
    return {
        "sid": number.sid,
        "account_sid": defaults.ACCOUNT_SID,
        "phone_number": number.number,
        "friendly_name": number.number,
        "sms_url": number.sms_url,
        "sms_method": number.sms_method,
        "capabilities": {"sms": True, "mms": True, "voice": False, "fax": False},
        "uri": f"/2010-04-01/Accounts/{defaults.ACCOUNT_SID}/IncomingPhoneNumbers/{number.sid}.json",
    }


def find_number(world: World, number_sid: str) -> Number:
    """A number by SID. Raises `Problem`."""
    for number in world.numbers.values():
        if number.sid == number_sid:
            return number
    raise Problem(404, 20404, f"The requested resource {number_sid} was not found")


def change_number(number: Number, form: Form) -> None:
    """Where its messages go."""
    number.sms_url = form.get("SmsUrl", number.sms_url)
    number.sms_method = form.get("SmsMethod", number.sms_method)


def services_json(world: World) -> dict[str, Any]:
    """The account's messaging services."""
    listed = [service_json(one) for one in world.services.values()]
    url = "/v1/Services?PageSize=50&Page=0"
    meta = {
        "page": 0,
        "page_size": 50,
        "first_page_url": url,
        "previous_page_url": None,
        "url": url,
        "next_page_url": None,
        "key": "services",
    }
    return {"services": listed, "meta": meta}


def service_json(service: Service) -> dict[str, Any]:
    """One messaging service."""
    return {
        "sid": service.sid,
        "account_sid": defaults.ACCOUNT_SID,
        "friendly_name": service.name,
        "inbound_request_url": service.inbound_request_url or None,
        "inbound_method": service.inbound_method,
        "use_inbound_webhook_on_number": service.use_inbound_webhook_on_number,
        "status_callback": service.status_callback or None,
        "url": f"/v1/Services/{service.sid}",
    }


def find_service(world: World, service_sid: str) -> Service:
    """A service by SID. Raises `Problem`."""
    service = world.services.get(service_sid)
    if service is None:
        raise Problem(404, 20404, f"The requested resource /Services/{service_sid} was not found")
    return service


def change_service(service: Service, form: Form) -> None:
    """Where its messages and their statuses go."""
    service.inbound_request_url = form.get("InboundRequestUrl", service.inbound_request_url)
    service.inbound_method = form.get("InboundMethod", service.inbound_method)
    service.status_callback = form.get("StatusCallback", service.status_callback)
    if "UseInboundWebhookOnNumber" in form:
        service.use_inbound_webhook_on_number = form["UseInboundWebhookOnNumber"] == "true"


def pool_json(world: World, service: Service) -> dict[str, Any]:
    """The numbers of a service."""
    listed = [{"sid": world.numbers[one].sid, "service_sid": service.sid, "phone_number": one} for one in service.pool]
    return {
        "phone_numbers": listed,
        "meta": {"page": 0, "page_size": 50, "next_page_url": None, "key": "phone_numbers"},
    }
