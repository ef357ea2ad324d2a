/**
 * What a group of checks is: a name, what it needs to know, and findings, one a check.
 * It deliberately holds no check; each group is a file beside this one, and index.ts lists them.
 */
import type { BuiltCluster } from '../build';
import type { PlainObject } from '../emit/manifest';
import type { Kubectl } from '../kubectl';
import type { Cluster, ClusterDescription } from '../model/cluster';
import type { RunProgram } from '../programs';

/** `failed` and `warning` need somebody; `skipped` says why nothing was looked at. Only `failed` is an exit code. */
export type Outcome = 'ok' | 'warning' | 'failed' | 'skipped';

/** What one check found. */
export interface Finding {
  /** Of its kind of question, the same in every cluster and version: for programs. */
  readonly check: string;
  readonly outcome: Outcome;
  /** One sentence: what is so. */
  readonly text: string;
  /** What to do about it. Present when the outcome is `failed` or `warning`. */
  readonly fix?: string;
}

/** What the operator said on the command line. */
export interface DoctorOptions {
  /** What the router's own page says is its address on the Internet. @default not compared */
  readonly routerAddress?: string;
  /** Whether to ask the LAN by ping and ARP who has the addresses that the cluster will take. @default false */
  readonly probe: boolean;
}

/** What the machine and the project are. */
export interface ProjectContext {
  /** The project's root. */
  readonly root: string;
  readonly now: Date;
  readonly run: RunProgram;
  /** IPv4 addresses of a host name; empty when there is none or nobody answers. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  readonly options: DoctorOptions;
  /** Those of apps/index.ts. */
  readonly descriptions: readonly ClusterDescription[];
}

/** One cluster of the project. */
export interface ClusterContext extends ProjectContext {
  readonly cluster: Cluster;
  /** Its objects. Throws SecretFileError when its files of secrets cannot be read. */
  readonly built: () => BuiltCluster;
}

/** One cluster that is really there. */
export interface LiveContext extends ClusterContext {
  readonly kubectl: Kubectl;
  /** `kubectl.list`, asked once for each kind by all groups together. */
  readonly list: (kind: string) => Promise<readonly PlainObject[]>;
}

type Findings = Promise<readonly Finding[]> | readonly Finding[];

/** A group about the machine and the project as a whole. */
export interface ProjectGroup {
  readonly name: string;
  readonly scope: 'project';
  readonly look: (context: ProjectContext) => Findings;
}

/** A group about one cluster's files, asked for each cluster. */
export interface ClusterGroup {
  readonly name: string;
  readonly scope: 'cluster';
  readonly look: (context: ClusterContext) => Findings;
}

/** A group that asks the API server. */
export interface LiveGroup {
  readonly name: string;
  readonly scope: 'live';
  readonly look: (context: LiveContext) => Findings;
}

export type CheckGroup = ProjectGroup | ClusterGroup | LiveGroup;

export function ok(check: string, text: string): Finding {
  return { check, outcome: 'ok', text };
}

export function failed(check: string, text: string, fix: string): Finding {
  return { check, outcome: 'failed', text, fix };
}

export function warning(check: string, text: string, fix: string): Finding {
  return { check, outcome: 'warning', text, fix };
}

export function skipped(check: string, text: string): Finding {
  return { check, outcome: 'skipped', text };
}

/** `a, b and 3 more`: names for one line. */
export function some(names: readonly string[], most = 4): string {
  return names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}
