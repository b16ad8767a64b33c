"""The face of caregivers: today's visits on a telephone, installable, and at work without a signal."""
