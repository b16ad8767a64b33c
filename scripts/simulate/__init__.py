"""A city's day through the public doors of a running service, and an audit of what came of it.

`__main__` runs it. `pace` is the service's clock, `doors` the only way to the service, `callers`, `desk`,
`companies`, `caregivers` and `families` the people, `closing` the end of the month, `facts` and `audit` the reckoning.
"""
