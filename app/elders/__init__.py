"""Floor 5: the people cared for, how to reach and find them, and who belongs to them.

In: registration and changes by the desk. Out: `service.elder`, `service.door`, `service.find_by_phone`, search.
Tables: `elder`, `elder_name_key`, `elder_phone`, `elder_tag`, `family_member`, `elder_device`, `elder_card`.
Events: `ElderDeparted`, `CardRevoked`.

Names are plain but shown masked; phones, ID numbers, door addresses and health notes are sealed. Whoever needs
a sealed value asks for a reveal, gives a reason and leaves an audit row.
"""
