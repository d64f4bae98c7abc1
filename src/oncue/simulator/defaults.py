"""The account that the simulator begins with. Nothing here is secret: it exists on this machine only."""

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN = "simulated-auth-token-0123456789"
API_KEY_SID = "SK" + "0123456789abcdef" * 2
API_KEY_SECRET = "simulated-api-key-secret-01234"
TEST_ACCOUNT_SID = "AC" + "fedcba9876543210" * 2
TEST_AUTH_TOKEN = "simulated-test-token-0123456789"

LONG_CODE = "+15005550006"
SECOND_LONG_CODE = "+15005550010"
TOLL_FREE = "+18005550123"
SHORT_CODE = "12345"
UK_NUMBER = "+447700900123"
NUMBERS = (LONG_CODE, SECOND_LONG_CODE, TOLL_FREE, SHORT_CODE, UK_NUMBER)

SERVICE_SID = "MG" + "0123456789abcdef" * 2
POOL = (SECOND_LONG_CODE, UK_NUMBER)
"""The numbers that the messaging service picks from."""
