"""Edge: the doors to the centre: WeChat, the telephone exchange, SOS devices; the gateways our messages leave by; and
the desk's stream.

Every door does the same three things: check who is there on the raw bytes, store the thing under its natural
key through `intake`, answer. The work comes after the answer.
In: pushes from outside; WeChat's and the devices' wait on the `porch` while the database does not answer. Out: contacts
and call events for `intake` and `calls`; receipts for `messaging`; entries of the "desk" feed for operators; messages,
by the senders of `wechat` and `gateways`.
Tables: `wechat_account`, `wechat_follower`, `wechat_template`, `wechat_consent`, `wechat_token`, `wechat_used_state`,
`device_maker`, `device_code`, `message_gateway`, `gateway_template`. Events: none.
"""
