"""The OpenAPI document passes the validators and linters that API tools use."""

from tests.support.deployment.tool_environments import node_tools, python_tools, run_tool


def test_document_is_valid(document):
    """openapi-spec-validator accepts the document."""
    tools = python_tools("openapi-spec-validator", "openapi-spec-validator==0.9.0")

    run_tool([tools / "openapi-spec-validator", document])


def test_spectral_finds_nothing(document, tmp_path):
    """Spectral's rules for OpenAPI give no error, warning or hint."""
    tools = node_tools("spectral", "@stoplight/spectral-cli@6.16.3")
    ruleset = tmp_path / "ruleset.yaml"
    ruleset.write_text('extends: ["spectral:oas"]\n')

    run_tool([tools / "node_modules/.bin/spectral", "lint", "--fail-severity=hint", "--ruleset", ruleset, document])


def test_redocly_finds_no_error(document, tmp_path):
    """Redocly's recommended rules give no error."""
    tools = node_tools("redocly", "@redocly/cli@2.77.0")

    run_tool([tools / "node_modules/.bin/redocly", "lint", document], cwd=tmp_path, REDOCLY_TELEMETRY="off")
