"""Floor 1: background work and the event feed, inside PostgreSQL.

In: `enqueue` (a job in the caller's transaction), `feed.append` (an entry in the caller's transaction).
Out: jobs run by the worker with retries, leases and dead letters; a feed whose readers never miss a commit.
Tables: the job queue's own (`pgqueuer*`), `job_receipt`, `periodic_task`, `feed_entry`. Events: none.
"""
