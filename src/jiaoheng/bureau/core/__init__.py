"""Units, periods, accounts, roles, access, audit, files, jobs: what every other app stands on."""
