"""Background work and the feed, with real connections and real processes."""
