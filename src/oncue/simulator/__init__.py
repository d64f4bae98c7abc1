"""A carrier to practise on: Twilio's Messages API on loopback, phones that receive and reply, and a dial for faults.

A process of its own that imports only `core`: it must not share our idea of Twilio, or it would share our mistakes.
"""
