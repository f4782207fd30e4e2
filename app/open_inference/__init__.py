"""The Open Inference Protocol (KServe V2): the same models, limits and noise as the plain routes, in its envelopes."""
