"""Edge: the doors to the centre: WeChat, the telephone exchange, SOS devices; the gateways our messages leave by; and
the desk's stream.

Every door does the same three things: check who is there on the raw bytes, store the thing under its natural
key through `intake`, answer. The work comes after the answer.
In: pushes from outside. Out: contacts and call events for `intake` and `calls`; receipts for `messaging`; entries of
the "desk" feed for operators; messages, by the senders of `gateways`.
Tables: `wechat_account`, `device_maker`, `device_code`, `message_gateway`, `gateway_template`. Events: none.
"""
