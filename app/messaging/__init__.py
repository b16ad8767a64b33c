"""Floor 2: everything we say to people: words from versioned templates, each message once, nobody woken at night.

In: `service.send` in the caller's transaction. Out: messages handed to a `Sender` per channel by the worker.
Tables: `template`, `outgoing_message`. Events: none.
"""
