"""What every room stands on: settings, clock, ids, geometry, errors, limits, database, leases."""
