"""How fast the service is, beside an endpoint that does nothing: a package of measurements, and no test of it."""
