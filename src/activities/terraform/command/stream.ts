/** How many operations a heartbeat names. */
const NAMED = 3;
/** What the lines that tell something are recognised by, before they are parsed. */
const TELLING =
  /"type":\s*"(planned_change|change_summary|(apply|provision|refresh)_(start|progress|complete|errored))"/;

const DOING: Readonly<Record<string, string>> = {
  create: 'creating',
  update: 'changing',
  delete: 'destroying',
  read: 'reading',
  refresh: 'refreshing',
};
/** A replacement destroys and creates. A move, an import and a forgetting are done without a word. */
const OPERATIONS: Readonly<Record<string, number>> = { create: 1, update: 1, delete: 1, replace: 2 };

interface UnderWay {
  readonly address: string;
  readonly doing: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** The provisioner at work. */
  provisioner?: string;
}

/**
 * What terraform's JSON stream (`plan -json`, `apply -json`) has told so far: names and actions, no value.
 * @see https://developer.hashicorp.com/terraform/internals/machine-readable-ui
 */
export class UiStream {
  readonly #underWay = new Map<string, UnderWay>();
  readonly #creating = new Set<string>();
  readonly #created = new Set<string>();
  #operations = 0;
  #done = 0;
  #failed = 0;
  #refreshed = 0;
  #planned = 0;

  /** Takes a whole line; any that isn't of the stream's kind is ignored. */
  read(line: string): void {
    if (!TELLING.test(line)) return;
    const message = parse(line);
    const hook = object(message['hook']);
    const address = text(object(hook['resource'])['addr']);
    const since = Date.parse(text(message['@timestamp']));
    switch (message['type']) {
      case 'planned_change':
        this.#plan(text(object(message['change'])['action']));
        break;
      case 'change_summary':
        // The end of planning, or of applying.
        this.#underWay.clear();
        break;
      case 'apply_start':
        this.#start(address, text(hook['action']), since);
        break;
      case 'apply_complete':
      case 'apply_errored':
        this.#end(address, text(hook['action']), message['type'] === 'apply_complete');
        break;
      case 'provision_start':
        this.#provision(address, text(hook['provisioner']));
        break;
      case 'provision_complete':
      case 'provision_errored':
        this.#provision(address, undefined);
        break;
      case 'refresh_start':
        this.#start(address, 'refresh', since);
        break;
      case 'refresh_complete':
        this.#underWay.delete(key(address, 'refresh'));
        this.#refreshed += 1;
        break;
    }
  }

  /** Addresses whose creation was begun: nothing else was made. */
  get creating(): ReadonlySet<string> {
    return this.#creating;
  }

  /** Addresses whose creation is complete. */
  get created(): ReadonlySet<string> {
    return this.#created;
  }

  /** Addresses whose creation was begun and did not become complete: it failed, or is under way. */
  get incomplete(): ReadonlySet<string> {
    return new Set([...this.#creating].filter((address) => !this.#created.has(address)));
  }

  /** A change is being made: an apply holds its state lock then. */
  get busy(): boolean {
    return [...this.#underWay.values()].some(({ doing }) => doing !== DOING['refresh']);
  }

  /**
   * For people, such as `3 of 10 done; creating aws_ecs_service.web (12 s), ...`.
   * @param now milliseconds since the epoch
   * @returns undefined before there is anything to tell
   */
  describe(now: number): string | undefined {
    const parts = [this.#counts(), this.#current(now)].filter((part) => part !== undefined);
    return parts.length === 0 ? undefined : parts.join('; ');
  }

  #plan(action: string): void {
    this.#planned += 1;
    this.#operations += OPERATIONS[action] ?? 0;
  }

  #start(address: string, action: string, since: number): void {
    const doing = DOING[action] ?? 'working on';
    this.#underWay.set(key(address, action), { address, doing, since });
    if (action === 'create') this.#creating.add(address);
  }

  #end(address: string, action: string, well: boolean): void {
    this.#underWay.delete(key(address, action));
    if (!well) this.#failed += 1;
    else if (action in OPERATIONS) this.#done += 1;
    if (well && action === 'create') this.#created.add(address);
  }

  #provision(address: string, provisioner: string | undefined): void {
    for (const entry of this.#underWay.values()) {
      if (entry.address !== address) continue;
      if (provisioner === undefined) delete entry.provisioner;
      else entry.provisioner = provisioner;
    }
  }

  #counts(): string | undefined {
    const applying = this.#creating.size > 0 || this.#done > 0 || this.#failed > 0 || this.busy;
    if (!applying) return this.#planCounts();
    const failed = this.#failed > 0 ? `, ${this.#failed} failed` : '';
    return this.#operations > 0
      ? `${this.#done} of ${this.#operations} done${failed}`
      : `${this.#done} done${failed}`;
  }

  #planCounts(): string | undefined {
    const refreshed = this.#refreshed > 0 ? [`${this.#refreshed} refreshed`] : [];
    const planned = this.#planned > 0 ? [`${this.#planned} changes planned`] : [];
    const counts = [...refreshed, ...planned];
    return counts.length === 0 ? undefined : counts.join(', ');
  }

  /** In the order in which they were begun, so that the longest comes first. */
  #current(now: number): string | undefined {
    const all = [...this.#underWay.values()];
    if (all.length === 0) return undefined;
    const named = all.slice(0, NAMED).map((entry, i) => {
      const again = all[i - 1]?.doing === entry.doing;
      return `${again ? '' : `${entry.doing} `}${entry.address}${duration(entry, now)}`;
    });
    const more = all.length > NAMED ? ` and ${all.length - NAMED} more` : '';
    return `${named.join(', ')}${more}`;
  }
}

function duration({ since, provisioner }: UnderWay, now: number): string {
  const seconds = Math.floor((now - since) / 1000);
  const time = seconds >= 1 ? [`${seconds} s`] : [];
  const all = [...(provisioner === undefined ? [] : [provisioner]), ...time];
  return all.length === 0 ? '' : ` (${all.join(', ')})`;
}

const key = (address: string, action: string) => `${action} ${address}`;

function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    return object(JSON.parse(line));
  } catch {
    return {};
  }
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
