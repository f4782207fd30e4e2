"""The parts of the measurements of the service: each measures figures, and reports them as a table."""
