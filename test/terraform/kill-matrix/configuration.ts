import { trialHeader } from '../trial-provider/install.ts';

/** How many objects a trial makes, two at a time. */
export const OBJECTS = 10;
const AT_A_TIME = 2;

export const addressOf = (name: string): string => `trial_object.${name}`;
const nameOf = (index: number): string => `o${index}`;
export const NAMES: readonly string[] = Array.from({ length: OBJECTS }, (_, index) => nameOf(index));

/**
 * Ten slow objects, two at a time.
 * @param server of the trial, by its address
 * @param delay milliseconds that each takes
 */
export function tenSlowObjects(server: string, delay: number): string {
  const objects = NAMES.map((name, index) => {
    const before = index - (index % AT_A_TIME) - 1;
    const after =
      before < 0 ? '' : `depends_on = [${addressOf(nameOf(before))}, ${addressOf(nameOf(before - 1))}]`;
    return `resource "trial_object" "${name}" {
  name     = "${name}"
  delay_ms = ${delay}
  ${after}
}`;
  });
  return `terraform {
  backend "http" {}
}
${trialHeader(server)}
${objects.join('\n')}
output "done" {
  value = "yes"
}
`;
}
