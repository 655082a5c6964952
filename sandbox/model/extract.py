#!/usr/bin/env python3
"""Trims AWS's API models (as botocore ships them) to the operations that the sandbox implements.

Usage: python3 sandbox/model/extract.py [service ...]     (needs: pip install botocore)

Documentation text is left out; names, types, constraints and errors are kept as they are.
"""

import json
import pathlib
import sys

import botocore
import botocore.loaders

OPERATIONS = {
    "ecs": """
        CreateCluster DeleteCluster DescribeClusters ListClusters
        RegisterTaskDefinition DescribeTaskDefinition DeregisterTaskDefinition ListTaskDefinitions
        ListTaskDefinitionFamilies
        CreateService UpdateService DeleteService DescribeServices ListServices
        RunTask StopTask DescribeTasks ListTasks
        TagResource UntagResource ListTagsForResource
        ListServiceDeployments DescribeServiceDeployments DescribeServiceRevisions StopServiceDeployment
        ContinueServiceDeployment
    """,
    "elbv2": """
        CreateLoadBalancer DeleteLoadBalancer DescribeLoadBalancers
        DescribeLoadBalancerAttributes ModifyLoadBalancerAttributes
        CreateTargetGroup DeleteTargetGroup DescribeTargetGroups ModifyTargetGroup
        DescribeTargetGroupAttributes ModifyTargetGroupAttributes
        RegisterTargets DeregisterTargets DescribeTargetHealth
        CreateListener DeleteListener DescribeListeners ModifyListener
        DescribeListenerAttributes ModifyListenerAttributes
        CreateRule DeleteRule DescribeRules ModifyRule SetRulePriorities
        AddTags RemoveTags DescribeTags
    """,
    "ssm": """
        PutParameter GetParameter GetParameters GetParametersByPath GetParameterHistory
        DeleteParameter DeleteParameters DescribeParameters LabelParameterVersion UnlabelParameterVersion
        AddTagsToResource RemoveTagsFromResource ListTagsForResource
    """,
    "secretsmanager": """
        CreateSecret DescribeSecret GetSecretValue PutSecretValue UpdateSecret DeleteSecret RestoreSecret
        ListSecrets ListSecretVersionIds UpdateSecretVersionStage TagResource UntagResource
    """,
    "sts": "GetCallerIdentity AssumeRole GetSessionToken",
    "ecr": """
        CreateRepository DeleteRepository DescribeRepositories
        GetAuthorizationToken ListImages DescribeImages BatchGetImage BatchDeleteImage PutImage
        PutImageTagMutability PutImageScanningConfiguration StartImageScan DescribeImageScanFindings
        BatchCheckLayerAvailability InitiateLayerUpload UploadLayerPart CompleteLayerUpload
        GetDownloadUrlForLayer TagResource UntagResource ListTagsForResource
    """,
    "cloudwatch": """
        GetMetricData GetMetricStatistics ListMetrics PutMetricData
        PutMetricAlarm DescribeAlarms DeleteAlarms SetAlarmState
    """,
}

DROPPED = {"documentation", "deprecatedMessage", "deprecatedSince", "document", "http", "auth", "authtype"}


def without_documentation(value):
    if isinstance(value, dict):
        return {k: without_documentation(v) for k, v in value.items() if k not in DROPPED or isinstance(v, dict) and "shape" in v}
    if isinstance(value, list):
        return [without_documentation(item) for item in value]
    return value


def referenced(shape):
    yield from (member["shape"] for member in shape.get("members", {}).values())
    yield from (shape[key]["shape"] for key in ("member", "key", "value") if key in shape)


def reachable(model, roots):
    found, todo = set(), list(roots)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(referenced(model["shapes"][name]))
    return found


def extract(service):
    model = botocore.loaders.Loader().load_service_model(service, "service-2")
    operations = {name: model["operations"][name] for name in sorted(OPERATIONS[service].split())}
    roots = set()
    for operation in operations.values():
        roots.update(operation[part]["shape"] for part in ("input", "output") if part in operation)
        roots.update(error["shape"] for error in operation.get("errors", []))
    names = reachable(model, roots)
    return {
        "metadata": model["metadata"],
        "operations": without_documentation(operations),
        "shapes": without_documentation({name: model["shapes"][name] for name in sorted(names)}),
    }


def main():
    folder = pathlib.Path(__file__).parent
    for service in sys.argv[1:] or OPERATIONS:
        text = json.dumps(extract(service), separators=(",", ":"), sort_keys=False)
        (folder / f"{service}.json").write_text(text + "\n")
        print(f"{service}.json: {len(text)} bytes, botocore {botocore.__version__}")


if __name__ == "__main__":
    main()
