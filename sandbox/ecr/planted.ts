import type { IncomingMessage, ServerResponse } from 'node:http';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { isDigest } from '../registry/oci.ts';

const SEVERITIES = ['INFORMATIONAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL', 'UNDEFINED'] as const;
const OUTCOMES = ['COMPLETE', 'FAILED', 'UNSUPPORTED_IMAGE'] as const;

export interface PlantedFinding {
  readonly name: string;
  readonly severity: (typeof SEVERITIES)[number];
  readonly description?: string;
  readonly uri?: string;
}

/** What a scan of an image shall say. */
export interface PlantedScan {
  /** How the scan ends. Default COMPLETE. */
  readonly status?: (typeof OUTCOMES)[number];
  readonly findings?: readonly PlantedFinding[];
}

/** Scan findings put there by hand: a file `scan-findings/<hex of the digest>.json`, or the same by HTTP. */
export interface PlantedScans {
  /** @returns a clean scan for an image that nothing was planted for. @throws Error for a file that isn't a scan */
  read(digest: string): Promise<PlantedScan>;
  readonly mount: {
    readonly prefix: string;
    handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  };
}

const PREFIX = '/_sandbox/scan-findings/';

export function createPlantedScans(stateDir: string): PlantedScans {
  const directory = join(stateDir, 'scan-findings');
  const pathOf = (digest: string): string => join(directory, `${digest.slice('sha256:'.length)}.json`);

  return {
    async read(digest) {
      try {
        return checked(JSON.parse(await readFile(pathOf(digest), 'utf8')));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
        throw new Error(`${pathOf(digest)} holds no scan: ${String(error)}`, { cause: error });
      }
    },
    mount: {
      prefix: PREFIX,
      async handle(request, response) {
        const digest = decodeURIComponent(request.url?.slice(PREFIX.length) ?? '');
        const say = (status: number, message: string): void =>
          void response.writeHead(status).end(`${message}\n`);
        if (!isDigest(digest)) return say(400, `${digest} isn't a sha256 digest`);
        if (request.method === 'DELETE') {
          await rm(pathOf(digest), { force: true });
          return say(200, `A scan of ${digest} finds nothing`);
        }
        if (request.method !== 'PUT') return say(405, 'PUT plants findings, DELETE removes them');
        try {
          const scan = checked(await json(request));
          await mkdir(directory, { recursive: true });
          const temporary = join(directory, randomUUID());
          await writeFile(temporary, JSON.stringify(scan), { flush: true });
          await rename(temporary, pathOf(digest));
          say(200, `A scan of ${digest} has ${scan.findings?.length ?? 0} findings`);
        } catch (error) {
          say(400, String(error));
        }
      },
    },
  };
}

function checked(value: unknown): PlantedScan {
  const scan = (Array.isArray(value) ? { findings: value } : value) as Partial<PlantedScan> | null;
  if (typeof scan !== 'object' || scan === null)
    throw new Error('a list of findings, or {status, findings}, is needed');
  if (scan.status !== undefined && !OUTCOMES.includes(scan.status)) {
    throw new Error(`status must be one of ${OUTCOMES.join(', ')}, got ${JSON.stringify(scan.status)}`);
  }
  for (const { name, severity } of scan.findings ?? []) {
    if (typeof name !== 'string') throw new Error('each finding needs a name');
    if (!SEVERITIES.includes(severity)) throw new Error(`severity must be one of ${SEVERITIES.join(', ')}`);
  }
  return scan;
}
