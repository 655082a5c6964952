import { expect, test } from '@jest/globals';
import type { DeploymentPlan } from '../../../src/domain/deployment-plan.ts';
import { driftMarkdown, driftSentence } from '../../../src/domain/render/infrastructure.ts';
import { planMarkdown } from '../../../src/domain/render/plan-markdown.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;

function aPlan(changes: Partial<DeploymentPlan['evidence']> = {}): DeploymentPlan {
  return {
    evidence: {
      manifest: { version: '1.4.0', commit: 'a'.repeat(40), images: {} },
      environment: 'production',
      settings: [{ key: 'A_B', parameter: '/p/A_B', value: DIGEST }],
      references: [],
      services: [
        {
          service: 'web',
          rollout: 'canary',
          image: DIGEST,
          taskDefinition: DIGEST,
          current: 'arn:aws:ecs:eu-west-1:1:task-definition/web:7',
        },
      ],
      canary: { steps: [10, 100], bakeSeconds: 600, deadMan: { stepMinutes: 90, lastMinutes: 1500 } },
      policyDigest: DIGEST,
      ...changes,
    },
    digest: DIGEST,
    checks: [{ name: 'scan web', passed: true, detail: 'fine | <b>really</b>' }],
    terraform: 'text',
    terraformMarkdown: '### Terraform\n\n`~ aws_a.b`',
  };
}

test('a plan as Markdown is what an approver agrees to, the checks folded away', () => {
  const lines = planMarkdown(aPlan()).split('\n');
  expect(lines[0]).toBe('## 1.4.0 → production');
  expect(lines).toContain('- **Runs now:** nothing: the first deployment');
  expect(lines).toContain('- **Canary:** web: 10 %, 100 %, each judged for 10 min');
  expect(lines).toContain(`- **Evidence:** \`${DIGEST}\``);
  expect(lines).toContain('| web | canary | 111111111111 | 111111111111 | web:7 |');
  expect(lines).toContain(String.raw`| A\_B | /p/A\_B | 111111111111 |`);
  expect(planMarkdown(aPlan())).toContain('\n### Terraform\n\n`~ aws_a.b`\n');
  expect(lines).toContain('<details><summary>Checks passed: 1</summary>');
  expect(lines).toContain(String.raw`| scan web | fine \| &lt;b>really&lt;/b> |`);
  expect(lines).not.toContain('### References');
});

test('a plan without canary or Terraform has neither', () => {
  const { terraformMarkdown: _markdown, ...plan } = aPlan();
  const { canary: _canary, ...evidence } = plan.evidence;
  const running = { version: '1.3.0', commit: 'b'.repeat(40) };
  const markdown = planMarkdown({ ...plan, evidence: { ...evidence, running } });
  expect(markdown).toContain('- **Runs now:** 1.3.0 (bbbbbbbbbbbb)');
  expect(markdown).not.toMatch(/Canary|Terraform/);
});

test('drift is told in a sentence by its first resources, and in full as a table', () => {
  const resources = [1, 2, 3, 4, 5, 6, 7].map((n) => ({
    address: `aws_a.b[${n}]`,
    kind: 'changed' as const,
    attributes: ['tags'],
  }));
  const drift = { resources, omitted: 10 };
  expect(driftSentence(drift)).toMatch(
    /^Changed outside of Terraform: aws_a\.b\[1\] \(changed: tags\), .*\[5\] \(changed: tags\), \.\.\. and 12 more\.$/,
  );
  const release = { version: '1.4.0', commit: 'a'.repeat(40) };
  const found = { platform: 'notes', environment: 'production', release };
  const markdown = driftMarkdown({ ...found, drift, heldBy: 'notes.deploy.production.1.5.0' });
  expect(markdown).toContain(String.raw`| aws\_a.b\[7\] | changed: tags |`);
  expect(markdown).toContain('| ... and 10 more |  |');
  expect(markdown).toContain('Held by notes.deploy.production.1.5.0');
  expect(driftMarkdown({ ...found, drift: { resources: [], omitted: 0 } })).toBe(
    '**production, which serves 1.4.0: nothing was changed outside of Terraform**',
  );
});
