"""The edge and the centre: a recorder at a site shares live pictures, facts and missed recordings with the centre."""
