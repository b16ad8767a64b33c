"""Floor 9: the desk at the telephones: who sits there, who waits, what pops up, what is listened to afterwards.

In: call records (from `calls`), what operators and supervisors do. Out: the operator's screen, presence and queues,
numbers to dial, recordings fetched and kept, nuisance numbers, checks of calls.
Read in this order: `sheets` and `references` (pure rules), `models`, `queries`, `screen`, `presence`, `dialling`,
`recordings`, `nuisance`, `checks`.
Tables: `operator_presence`, `order_viewer`, `dial`, `recording`, `recording_source`, `nuisance_number`, `score_sheet`,
`call_check`.
Events: none.
"""
