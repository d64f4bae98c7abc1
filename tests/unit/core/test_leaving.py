"""Replies that read like an opt-out, and those that do not."""

import pytest

from oncue.core.leaving import reads_like_opt_out

LEAVING = [
    "please stop",
    "Please stop!",
    "pls stop texting me",
    "stop it",
    "Stop sending me these",
    "stop please",
    "STOP!!!",
    "ok stop",
    "I said stop",
    "can you stop",
    "Can you please stop the messages",
    "please stop the reminders",
    "Hey, stop.",
    "I wrote STOP yesterday",
    "unsubscribe me please",
    "Unsubscribed?? I am still getting these",
    "I want to opt out",
    "opt-out",
    "how do I optout of this",
    "remove me from your list",
    "Please delete my number",
    "take me off this list",
    "Don't text me again",
    "don’t text this number",
    "dont message me",
    "do not contact me",
    "never text me again",
    "no more texts please",
    "No more.",
    "leave me alone",
    "Lose my number",
    "quit texting me",
    "no sms please",
    "Keine SMS mehr bitte",
    "stop\nplease",
    "you must stop at once",
]
STAYING = [
    "",
    "please stop by at 5",
    "Please stop by once you are done? see you",
    "Could you stop at the gate",
    "stop in anytime",
    "Does the bus stop there?",
    "Which bus stop is it",
    "I can't stop laughing",
    "It was a non-stop flight",
    "We stopped by yesterday",
    "Yes",
    "See you at 8",
    "Can you call me?",
    "Please text me the address",
    "Please send me the invoice",
    "I don't know",
    "Is there no more than one entrance?",
    "Are there no more tickets?",
    "The nonstop party stops at two",
    "Removing the sofa takes two people",
    "Opting for the second date",
    "I got no message",
    "You never sent me the code",
    "My option is out of stock",
    "PLEASE CONFIRM THE BUS STOP NEAR THE HOTEL",
]


@pytest.mark.parametrize("text", LEAVING)
def test_somebody_who_wants_to_leave_is_heard(text):
    assert reads_like_opt_out(text)


@pytest.mark.parametrize("text", STAYING)
def test_somebody_who_says_something_else_is_not_taken_for_one(text):
    assert not reads_like_opt_out(text)
