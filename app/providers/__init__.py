"""Floor 5: member providers (加盟企业), the areas and items they serve, their caregivers (服务人员) and their record.

In: registration by the centre, ratings and completions from higher floors. Out: `service.provider`,
`service.caregiver`, scorecards and continuity for matching.
Tables: `provider`, `provider_area`, `provider_item`, `caregiver`, `caregiver_certificate`, `caregiver_shift`,
`caregiver_absence`, `scorecard`, `continuity`. Events: `ProviderSuspended`, `ProviderReinstated`, `CaregiverChanged`.
"""
