import { createClients } from './clients.ts';
import type { Clients } from './clients.ts';
import type { Provider } from './plugin/calls.ts';
import { pathOf, ProviderError } from './plugin/diagnostics.ts';
import { text } from './plugin/value.ts';
import { ecrRepository } from './resources/ecr-repository.ts';
import { ecsCluster } from './resources/ecs-cluster.ts';
import { ecsService } from './resources/ecs-service.ts';
import { ecsTaskDefinition } from './resources/ecs-task-definition.ts';
import { lb } from './resources/lb.ts';
import { lbListener } from './resources/lb-listener.ts';
import { lbListenerRule } from './resources/lb-listener-rule.ts';
import { lbTargetGroup } from './resources/lb-target-group.ts';
import { secret } from './resources/secret.ts';
import { secretVersion } from './resources/secret-version.ts';
import { ssmParameter } from './resources/ssm-parameter.ts';

/** Resource types and attributes as in hashicorp/aws, as far as a service on ECS behind a load balancer needs them. */
export const awsProvider: Provider<Clients> = {
  schema: {
    attributes: {
      region: { type: 'string', optional: true },
      access_key: { type: 'string', optional: true },
      secret_key: { type: 'string', optional: true, sensitive: true },
    },
  },
  resources: {
    aws_ecr_repository: ecrRepository,
    aws_ecs_cluster: ecsCluster,
    aws_ecs_service: ecsService,
    aws_ecs_task_definition: ecsTaskDefinition,
    aws_lb: lb,
    aws_lb_listener: lbListener,
    aws_lb_listener_rule: lbListenerRule,
    aws_lb_target_group: lbTargetGroup,
    aws_secretsmanager_secret: secret,
    aws_secretsmanager_secret_version: secretVersion,
    aws_ssm_parameter: ssmParameter,
  },
  configure(config) {
    if (!process.env['AWS_ENDPOINT_URL']) {
      throw new ProviderError(
        'No endpoint',
        'AWS_ENDPOINT_URL is not set. This provider works with the sandbox alone, never with AWS: set the variable to the URL that the sandbox prints.',
      );
    }
    const region = text(config, 'region') ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'];
    if (region === undefined) {
      throw new ProviderError('No region', 'Set `region` in the provider block, or AWS_REGION.', {
        attribute: pathOf('region'),
      });
    }
    const accessKeyId = text(config, 'access_key');
    const secretAccessKey = text(config, 'secret_key');
    const credentials = accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined;
    return createClients({ region, ...(credentials && { credentials }) });
  },
};
