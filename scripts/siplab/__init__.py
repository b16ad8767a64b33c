"""A laboratory for telephone calls: Kamailio as the centre's edge, baresip as an agent's phone, SIPp as the callers."""
