"""Floor 2: everything we say to people: words from versioned templates, each message once, nobody woken at night.

In: `service.send` in the caller's transaction; receipts of gateways. Out: messages handed to a `Sender` per channel by
the worker; for what no machine can say, `LeftToVoice`.
Read in this order: `ways`, `breaker`, `quiet_hours` (pure), `sender`, `service`, `tasks`, `receipts`.
Tables: `template`, `outgoing_message`, `message_receipt`, `recipient_way`, `recipient_choice`, `channel_breaker`.
Events: `LeftToVoice`.
"""
