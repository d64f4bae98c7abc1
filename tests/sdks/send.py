"""Sends what a test asks for with a real Python SDK: python send.py segment|rudder KEY URL USER COUNT"""

import sys

which, key, url, user, count = sys.argv[1:]
if which == "segment":
    from segment.analytics.client import Client
else:
    from rudderstack.analytics.client import Client

client = Client(key, host=url, upload_size=20, upload_interval=0.05, max_retries=60, timeout=5)
client.identify(user, {"phone_number": "+15005551001", "first_name": "Ann"})
for n in range(int(count)):
    client.track(user, "booking_confirmed", {"booking_id": f"B{n}"})
client.shutdown()
