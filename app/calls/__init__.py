"""Floor 8: the telephone: one record a call, who answered, who has to be called back.

In: events of the telephone exchange (by the edge, in any order), what operators say of their calls. Out: call records,
what happens to a call on the desk's feed, call-back tasks, the hotline's figures.
Read in this order: `record` and `figures` (pure rules), `models`, `queries`, `service`, `callbacks`.
Tables: `call`, `call_event`, `callback_task`. Events: `RecordingReady`.
"""
