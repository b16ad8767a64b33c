"""Settings of the embedded server, as for `postgres -c name=value`."""

from __future__ import annotations

import sys

PRODUCT_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "random_page_cost": "1.1",
    "jit": "off",  # its compile time costs short queries more than it gives
    "max_parallel_workers_per_gather": "0",  # even latency; containers give little shared memory
    "idle_in_transaction_session_timeout": "15s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "10min",
    "autovacuum_naptime": "20s",
    "autovacuum_vacuum_scale_factor": "0.05",  # queue tables turn over quickly
    "log_error_verbosity": "terse",  # details quote column values: nothing personal in logs
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%a ",
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
}
if sys.platform == "linux":
    PRODUCT_SETTINGS["recovery_init_sync_method"] = "syncfs"  # seconds quicker after a crash

THROWAWAY_SETTINGS = {
    **PRODUCT_SETTINGS,
    "shared_buffers": "128MB",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "logging_collector": "off",
}
