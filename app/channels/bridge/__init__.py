"""Edge: `nuanxian bridge`, between a telephone exchange and the service's one door for call events.

It reads the exchange's own line protocol, says in our words what happened, and signs like any other system; so it may
run beside the exchange, on another machine. It keeps nothing: what is told twice is one event, and after a gap the
exchange is asked which calls there are.

Read in this order: `told` (our words), `esl` and `freeswitch`, `ami` and `asterisk` (wire, then meaning; pure),
`exchanges` (the connections), `door` (towards the service), `running`.
Only FreeSWITCH's side was recorded from a running exchange; Asterisk's follows its documentation and recorded streams.
"""
