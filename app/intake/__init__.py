"""Floor 9: everything that reaches the centre, until it is an order, an answer, or somebody else's matter.

In: contacts from the channels (stored under their natural key before anything else), what an operator, a family or an
app asks for. Out: care requests (诉求) with what is still missing and possible duplicates, confirmed orders (through
`orders.service.place`).

Read in this order: `requests` (pure rules), `models`, `queries`, `contacts`, `service`, `confirmation`.
Tables: `inbound_contact`, `contact_sender`, `sender_code`, `care_request`, `booking_rule`.
Events: `ComplaintReceived`, `EmergencyReceived`, `AlarmRepeated`.
"""
