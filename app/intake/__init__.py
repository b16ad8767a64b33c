"""Floor 9: everything that reaches the centre, until it is an order, an answer, or somebody else's matter.

In: contacts from the channels (stored under their natural key before anything else), events of the telephone
exchange, what an operator, a family or an app asks for. Out: care requests (诉求) with what is still missing and
possible duplicates, confirmed orders (through `orders.service.place`), call records, tasks to call somebody: who did
not reach us, and whom no message of ours reached.

Read in this order: `requests` and `calls` (pure rules), `models`, `queries`, `contacts`, `service`, `telephony`.
Tables: `inbound_contact`, `contact_sender`, `sender_code`, `call`, `call_event`, `callback_task`, `care_request`.
Events: `ComplaintReceived`, `EmergencyReceived`.
"""
