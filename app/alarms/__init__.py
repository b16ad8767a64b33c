"""Floor 9: SOS incidents. Every emergency, whatever door it came through, is in one incident until somebody has seen
to it; and if nobody does, more and more people are told.

In: emergencies (from `intake`, by the edge), what operators do about them, the clock. Out: incidents, messages to
relatives and to the nearest helpers, alarms on the desk's stream.
Read in this order: `incidents` (pure: the state machine, severities, the ladder), `models`, `queries`, `service`,
`identification` (whom it is about, where nobody knew).
Tables: `incident`, `incident_alarm`, `incident_step`, `incident_entry`, `escalation_rule`. Events: `IncidentClosed`.
"""
