"""HTTP in, HTTP out: what a request asks for, which operation runs, how the response is rendered."""
