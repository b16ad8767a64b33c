"""Floor 8: the telephone: one record a call, who answers, who may be calling, who has to be called back.

In: events of the telephone exchange (by the edge, in any order), what operators say of their calls. Out: call records,
screen-pops on the desk's feed, call-back tasks, the hotline's figures.
Read in this order: `record` and `figures` (pure rules), `models`, `queries`, `service`, `callbacks`, `screen`.
Tables: `call`, `call_event`, `callback_task`. Events: none.
"""
