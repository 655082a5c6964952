import type { Path } from './document.ts';
import { secondsOf } from './fields.ts';
import type { PlainMap } from './merge.ts';
import type { PlatformProblem } from './problems.ts';
import { mapAt, stringAt, stringsAt, valueAt } from './raw.ts';
import { DEFAULTS } from './schema.ts';

/** What is wrong with an approval policy, given the groups' members: one that can never be met, or reminders that never come. */
export function approvalProblems(approval: unknown, groups: PlainMap, path: Path): PlatformProblem[] {
  if (approval === undefined) return [];
  const required = requiredOf(approval).filter(({ group }) => Object.hasOwn(groups, group));
  const members = new Map(
    Object.keys(groups).map((group) => [group, [...new Set(stringsAt(groups, group))]]),
  );
  const short = required.filter(({ group, count }) => count > (members.get(group)?.length ?? 0));
  return [
    ...emptyProblem(approval, path),
    ...short.map(({ group, count }) => ({
      path: [...path, 'required', group],
      found: `${count} approvals of ${group}, which has ${peopleOf(members.get(group) ?? [])}`,
      allowed: `1 to ${members.get(group)?.length ?? 0}`,
    })),
    ...(short.length === 0 ? overlapProblem(required, members, path) : []),
    ...reminderProblem(approval, path),
  ];
}

interface Required {
  readonly group: string;
  readonly count: number;
}

function requiredOf(approval: unknown): Required[] {
  return Object.entries(mapAt(approval, 'required')).flatMap(([group, count]) =>
    typeof count === 'number' && Number.isInteger(count) && count > 0 ? [{ group, count }] : [],
  );
}

function emptyProblem(approval: unknown, path: Path): PlatformProblem[] {
  const required = valueAt(approval, 'required');
  if (required === undefined || Object.keys(mapAt(approval, 'required')).length > 0) return [];
  return [
    {
      path: [...path, 'required'],
      found: 'no group',
      allowed: 'one or more groups, each with its number of approvals',
    },
  ];
}

/** Each person's approval counts for one group only, so groups that share people may not be able to fill all seats. */
function overlapProblem(
  required: readonly Required[],
  members: ReadonlyMap<string, readonly string[]>,
  path: Path,
): PlatformProblem[] {
  const seats = required.flatMap(({ group, count }) =>
    Array.from({ length: count }, () => members.get(group) ?? []),
  );
  if (canSeat(seats)) return [];
  const people = [...new Set(required.flatMap(({ group }) => members.get(group) ?? []))];
  return [
    {
      path: [...path, 'required'],
      found: `${seats.length} approvals asked of ${peopleOf(people)}, who are in several of the groups`,
      allowed: 'numbers that different people can fill: each person counts once',
    },
  ];
}

/** Whether every seat can have a person of its own: augmenting paths (Kuhn's algorithm for bipartite matching). */
function canSeat(seats: readonly (readonly string[])[]): boolean {
  const seatOf = new Map<string, number>();
  const place = (seat: number, asked: Set<string>): boolean =>
    (seats[seat] ?? []).some((person) => {
      if (asked.has(person)) return false;
      asked.add(person);
      const taken = seatOf.get(person);
      if (taken !== undefined && !place(taken, asked)) return false;
      seatOf.set(person, seat);
      return true;
    });
  return seats.every((_, seat) => place(seat, new Set()));
}

function reminderProblem(approval: unknown, path: Path): PlatformProblem[] {
  const every = stringAt(approval, 'remindEvery');
  const expires = stringAt(approval, 'expiresAfter') ?? DEFAULTS.expiresAfter;
  if (every === undefined || !(secondsOf(every) >= secondsOf(expires))) return [];
  return [
    {
      path: [...path, 'remindEvery'],
      found: `"${every}", which is never before the end`,
      allowed: `less than expiresAfter, ${expires}`,
    },
  ];
}

function peopleOf(people: readonly string[]): string {
  const count = people.length === 1 ? '1 person' : `${people.length} people`;
  return people.length === 0 ? 'nobody' : `${count} (${people.join(', ')})`;
}
