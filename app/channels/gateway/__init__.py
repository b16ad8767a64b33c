"""Edge: `nuanxian devices`, between devices that do not speak HTTP and the service's one door for them.

Two sides: an MQTT broker's topics (`sos/up/{device}/alarm`), and watches that speak `[3G*…]` over TCP. Both keep one
promise: the device, or the broker for it, hears that an alarm was taken only after the service has it on disk. So the
process keeps nothing: killed at any moment, whatever it had not handed on is sent again.

Read in this order: `channels.report` (our words), `watch` and `topics` (wire, then meaning; pure), `handing`
(towards the service), `listener` and `subscriber` (the connections).
"""
