/**
 * The claims about a real Argo CD: it brings the example's home up in waves from Git, finds nothing to do afterwards, applies a change and nothing else, and lets a
 * realm and a continent go. Upstream's charts are one ConfigMap each here, and the status that operators would write comes from the test (operators.ts).
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { PlainObject } from '../../lib/emit/manifest';
import type { ClusterDescription } from '../../lib/model/cluster';
import { judgeRemovals } from '../../lib/removals';
import { synthesize } from '../../lib/synth';
import { exampleHomelab } from '../examples';
import { ARGOCD, ArgoCd, missingForArgoCd } from './argo-cd';
import { findBinaries } from './binaries';
import { ApiError, Client } from './client';
import type { ControlPlane } from './control-plane';
import { withDefinitions } from './definitions';
import { named } from './dist';
import { eventually } from './judge';
import { listeningElsewhere } from './listening';
import { Operators } from './operators';
import { needsOf, startPlane } from './planes';

const missing =
  missingForArgoCd(findBinaries()[0]?.kubectl) ??
  (findBinaries()[0]?.controllers ? undefined : 'there are no controllers in KUBEBUILDER_ASSETS');
/** The realm that goes, and the continent that leaves a realm that stays. */
const REALM = 'borealis';
const CONTINENT = { realm: 'aurora', name: 'sunreach' };
const LONG = 240_000;
const COMPARE = 'argocd.argoproj.io/compare-options';
/**
 * How the root compares, but for the tests of both ways: it looks at all of its Applications whenever one of them changes, and with dry runs that would be half of the
 * run's work. It is no file of dist, because how to compare belongs to the controller's settings there.
 */
const COMPARED = { [COMPARE]: 'ServerSideDiff=false' };
/** Milliseconds without a sync after which Argo CD is taken to be done; it heals itself within one second. */
const QUIET = 2000;

if (missing) test.skip(`Argo CD is not asked: ${missing}`, () => undefined);
else describe("the example's home in a real Argo CD", judge);

function judge(): void {
  let plane: ControlPlane | undefined;
  let argo: ArgoCd;
  let client: Client;
  let operators: Operators | undefined;
  const texts = distOf(exampleHomelab);
  const files: readonly File[] = [...texts].map(([path, text]) => ({
    path,
    text,
    application: path.split('/')[1] ?? '',
    object: parse(text) as PlainObject,
  }));
  /** Applications that came before one of an earlier wave had settled. */
  const early = new Set<string>();

  beforeAll(async () => {
    const [binaries] = findBinaries();
    if (binaries === undefined) throw new Error('There are no binaries.');
    // Argo CD waits for the autoscaler whenever it has touched it or what it scales.
    const needs = { ...needsOf(files.map((file) => file.object)), autoscalerSeconds: 1 };
    plane = (await withDefinitions((definitions) => startPlane(binaries, exampleHomelab.name, needs, definitions))).plane;
    client = new Client(plane.address);
    await client.discover();
    argo = new ArgoCd(plane.address);
    argo.commit(texts, 'dist as it is');
    operators = new Operators(client);
    await operators.start();
    await argo.follow(notingWhoIsEarly(files, early));
    // What a bootstrap brings: the namespace, Argo CD itself, the root and its project.
    await client.apply(find(files, 'Namespace', ARGOCD).object);
    await argo.start(find(files, 'Application', 'argo-cd').object);
  }, LONG);

  afterAll(async () => {
    operators?.stop();
    await argo?.stop();
    client?.close();
    await plane?.stop();
  });

  test(
    'each wave begins when every Application of the earlier ones is Synced and Healthy, and the root ends so itself',
    async () => {
      for (const { path, text, object } of [find(files, 'AppProject', 'root'), find(files, 'Application', 'root')])
        await client.apply(object, argo.inTestRepository(path, text));
      await argo.annotate('root', COMPARED);
      await eventually(
        async () => argo.applications,
        (applications) => applications.length === applicationsOf(files) && applications.every(isSettled),
        LONG / 1000 - 10,
      );
      expect(unsettled(argo.applications)).toEqual([]);
      expect(argo.applications).toHaveLength(applicationsOf(files));
      expect([...early]).toEqual([]);
    },
    LONG,
  );

  test('its servers listen on loopback only', () => {
    expect(listeningElsewhere(argo.pids)).toEqual([]);
  });

  test.each([
    ['server-side', 'true'],
    ['default', 'false'],
  ])('a hard refresh with the %s diff finds every Application Synced and starts no sync', async (_name, serverSide) => {
    const before = await settle(argo);
    const state = await states(client, files);
    const compare = { [COMPARE]: `ServerSideDiff=${serverSide}` };
    await Promise.all(before.map(({ metadata }) => argo.annotate(metadata.name, compare)));
    argo.differences();
    await argo.refresh('hard');
    const after = await settle(argo);
    expect(argo.differences().filter((each) => !each.startsWith('root: '))).toEqual([]);
    expect(unsettled(after)).toEqual([]);
    expect(syncs(after)).toEqual(syncs(before));
    expect(await states(client, files)).toEqual(state);
    await Promise.all(after.map(({ metadata }) => argo.annotate(metadata.name, metadata.name === 'root' ? COMPARED : { [COMPARE]: null })));
  });

  test('a change in Git is applied, and nothing else is', async () => {
    const changed = files.find(({ object }) => object.kind === 'ConfigMap' && object.metadata.namespace === `realm-${CONTINENT.realm}`);
    if (changed === undefined) throw new Error(`No world of realm ${CONTINENT.realm} has a ConfigMap.`);
    const before = await settle(argo);
    const generations = await states(client, files);
    const text = `${changed.text.trimEnd()}\n`.replace('\ndata:\n', '\ndata:\n  ADDED: by-the-test\n');
    argo.commit(new Map(texts).set(changed.path, text), 'one value');
    await argo.refresh('normal', false);
    await eventually(
      async () => argo.applications,
      (applications) => applications.every(isSettled) && syncs(applications)[changed.application] !== syncs(before)[changed.application],
    );
    const after = await settle(argo);
    expect(unsettled(after)).toEqual([]);
    const synced = after.find((application) => application.metadata.name === changed.application);
    const applied = synced?.status.operationState.syncResult.resources as { kind: string; namespace: string; name: string }[];
    expect(applied.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`)).toEqual([named(changed.object)]);
    expect({ ...syncs(after), [changed.application]: 0 }).toEqual({ ...syncs(before), [changed.application]: 0 });
    const now = await states(client, files);
    expect([...now].filter(([name, state]) => generations.get(name) !== state).map(([name]) => name)).toEqual([named(changed.object)]);
  });

  describe('a realm whose continents are updated in turns', () => {
    const { realm, name: first } = CONTINENT;
    const [second = ''] = worldsOf(realm).flatMap(({ name }) => (name === first ? [] : [name]));
    const application = `realm-${realm}`;
    /** Every world changes; the first one finds a node, or none. */
    const inTurns = (capacity: number, firstFindsNode: boolean) =>
      distOf(
        withRealms((realms) =>
          realms.map((each) =>
            each.name === realm
              ? {
                  ...each,
                  capacity,
                  updates: { strategy: 'one-continent-at-a-time' as const },
                  continents: each.continents.map((continent) => ({
                    ...continent,
                    order: continent.name === first ? 1 : 2,
                    ...(continent.name === first && !firstFindsNode ? { placement: { nodeLabels: { nowhere: 'yes' } } } : {}),
                  })),
                }
              : each,
          ),
        ),
      );
    const hashOf = (name: string) => async () =>
      (await client.get(`/apis/apps/v1/namespaces/${application}/statefulsets/${name}`)).spec.template.metadata.annotations[
        'mmo/config-hash'
      ];
    let before: { first: string; second: string };

    beforeAll(async () => {
      before = { first: await hashOf(first)(), second: await hashOf(second)() };
      argo.commit(inTurns(321, false), 'an update whose first world finds no node');
      await argo.refresh();
      await eventually(hashOf(first), (hash) => hash !== before.first);
    }, LONG);

    test('leaves the second alone while the first does not come up', async () => {
      await new Promise((resolve) => setTimeout(resolve, QUIET));
      expect([await hashOf(second)(), applicationOf(argo, application)?.status.operationState.phase]).toEqual([before.second, 'Running']);
    });

    test(
      'goes on with the commit that repairs it, once the waiting sync is ended as the guide says',
      async () => {
        argo.commit(inTurns(321, true), 'the repair');
        await argo.runAsPrinted(commandOf('Terminating'), findBinaries()[0]?.kubectl);
        await eventually(
          async () => applicationOf(argo, application)?.status.operationState.phase,
          (phase) => phase !== 'Running' && phase !== 'Terminating',
        );
        await argo.refresh();
        expect(unsettled(await settle(argo))).toEqual([]);
        expect(await hashOf(second)()).not.toBe(before.second);
      },
      LONG,
    );
  });

  describe('a realm with a maintenance window that is closed', () => {
    const application = `realm-${CONTINENT.realm}`;
    /** Opens in half a day. */
    const hour = (new Date().getUTCHours() + 12) % 24;
    const windowed = (capacity?: number) =>
      distOf(
        withRealms((realms) =>
          realms.map((each) =>
            each.name === CONTINENT.realm
              ? {
                  ...each,
                  ...(capacity === undefined ? {} : { capacity }),
                  maintenanceWindows: [{ timeZone: 'UTC', start: `0 ${hour} * * *`, duration: '1h' }],
                }
              : each,
          ),
        ),
      );
    let before: Record<string, unknown>;

    beforeAll(async () => {
      argo.commit(windowed(), 'a window');
      await argo.refresh();
      await settle(argo);
      // The window is there; a change that came in the same commit could have been earlier.
      await argo.refresh();
      before = syncs(await settle(argo));
      argo.commit(windowed(222), 'a change of its worlds');
      await argo.refresh();
      await eventually(
        async () => applicationOf(argo, application)?.status.sync.status,
        (status) => status === 'OutOfSync',
      );
      await new Promise((resolve) => setTimeout(resolve, QUIET));
    }, LONG);

    test('waits for it with every change of its worlds', () => {
      const { sync, operationState } = applicationOf(argo, application)?.status ?? {};
      expect([sync.status, operationState.startedAt]).toEqual(['OutOfSync', before[application]]);
    });

    test('holds up nothing else: the root and every other Application are Synced and Healthy', async () => {
      const others = () => argo.applications.filter(({ metadata }) => metadata.name !== application);
      await eventually(
        async () => others(),
        (applications) => applications.every(isSettled),
      );
      expect(unsettled(others())).toEqual([]);
    });

    test(
      'is synced by hand as the guide says',
      async () => {
        await argo.runAsPrinted(commandOf('"operation":'), findBinaries()[0]?.kubectl);
        expect(unsettled(await settle(argo))).toEqual([]);
      },
      LONG,
    );

    afterAll(async () => {
      argo.commit(texts, 'without windows and turns');
      await argo.refresh();
      await settle(argo);
      await argo.refresh();
      await settle(argo);
    }, LONG);
  });

  test(
    'retiring a realm and a continent stops their worlds, closes their addresses, keeps their volumes, and leaves everything Synced and Healthy',
    async () => {
      const others = await podsOf(client, isOther);
      const claims = await claimsOf(client);
      argo.commit(distOf(retired()), 'retire a realm and a continent');
      await argo.refresh();
      await eventually(
        () => podsOf(client, isLeaving),
        (pods) => pods.length === 0,
      );
      expect(unsettled(await settle(argo))).toEqual([]);
      expect(await podsOf(client, isLeaving)).toEqual([]);
      const services = (await client.list('/api/v1/services')).filter(isLeaving);
      expect(services.filter((service) => service.spec.type === 'LoadBalancer').map(({ metadata }) => metadata.name)).toEqual([]);
      expect(claims.length).toBeGreaterThan(0);
      expect(await claimsOf(client)).toEqual(claims);
      expect(others.length).toBeGreaterThan(0);
      expect(await podsOf(client, isOther)).toEqual(others);
    },
    LONG,
  );

  // Which Application looks first is chance in a cluster, and decides what Argo CD prunes by itself: both orders must end the same.
  describe.each([
    { first: 'the root', withRootFirst: true },
    { first: 'every other Application', withRootFirst: false },
  ])('removing them then, when $first sees the commit first', ({ withRootFirst }) => {
    let claims: string[];
    let others: string[];
    let after: PlainObject[];

    beforeAll(async () => {
      const before = distOf(retired());
      argo.commit(before, 'they are retired, and not removed');
      await argo.refreshNamed(['root']);
      await eventually(
        async () => argo.applications,
        (applications) => applications.some(({ metadata }) => metadata.name === `realm-${REALM}`),
      );
      await argo.refresh();
      await settle(argo);
      claims = await claimsOf(client);
      others = await podsOf(client, isOther);
      const next = distOf(removed());
      const report = judgeRemovals(
        before,
        [...before.keys()].filter((path) => !next.has(path)),
        next.keys(),
      );
      expect(report.refusals).toEqual([]);
      expect(report.steps).not.toEqual([]);
      argo.commit(next, 'they are removed');
      const names = argo.applications.map(({ metadata }) => metadata.name);
      const order = [['root'], names.filter((name) => name !== 'root')];
      for (const each of withRootFirst ? order : order.reverse()) await argo.refreshNamed(each);
      const kubectl = findBinaries()[0]?.kubectl;
      for (const step of report.steps) await argo.runAsPrinted(step, kubectl);
      after = await settle(argo);
    }, LONG);

    test('everything is Synced and Healthy, the root included', () => {
      expect(unsettled(after)).toEqual([]);
    });

    test("the realm's Application is gone, and no other", () => {
      const gone = files.filter(({ object }) => object.kind === 'Application').map(({ object }) => object.metadata.name);
      expect(after.map(({ metadata }) => metadata.name).sort()).toEqual(gone.filter((name) => name !== `realm-${REALM}`).sort());
    });

    test('the claims are where they were', async () => {
      expect(claims.filter((claim) => claim.startsWith(`realm-${REALM}/`))).toHaveLength(worldsOf(REALM).length);
      expect(await claimsOf(client)).toEqual(claims);
    });

    test('every other world runs on', async () => {
      expect(others.length).toBeGreaterThan(0);
      expect(await podsOf(client, isOther)).toEqual(others);
    });

    test('of what Git had of them, only the namespace and the keys of the backups are left', async () => {
      const left: string[] = [];
      const now = new Set(distOf(removed()).keys());
      for (const { path, object } of files) {
        if (now.has(path) || object.kind === 'Application') continue;
        if (await exists(client, object)) left.push(named(object));
      }
      expect(left.sort()).toEqual([
        `Namespace realm-${REALM}`,
        `SealedSecret realm-${REALM}/world-backup-encryption`,
        `SealedSecret realm-${REALM}/world-backup-store`,
      ]);
    });
  });
}

/** The guide's command that has this in it. */
function commandOf(part: string): string {
  const command = readFileSync('docs/how-to/update-the-game.md', 'utf8')
    .split('\n')
    .find((line) => line.startsWith('    kubectl ') && line.includes(part));
  if (command === undefined) throw new Error(`docs/how-to/update-the-game.md has no command with '${part}'.`);
  return command.trim();
}

function applicationOf(argo: ArgoCd, name: string): PlainObject | undefined {
  return argo.applications.find(({ metadata }) => metadata.name === name);
}

interface File {
  readonly path: string;
  readonly text: string;
  readonly application: string;
  readonly object: PlainObject;
}

type Realms = NonNullable<ClusterDescription['realms']>;

function withRealms(change: (realms: Realms) => Realms): ClusterDescription {
  return { ...exampleHomelab, realms: change(exampleHomelab.realms ?? []) };
}

function retired(): ClusterDescription {
  return withRealms((realms) =>
    realms.map((realm) => ({
      ...realm,
      ...(realm.name === REALM ? { state: 'retired' as const } : {}),
      continents: realm.continents.map((continent) =>
        realm.name === CONTINENT.realm && continent.name === CONTINENT.name ? { ...continent, state: 'retired' as const } : continent,
      ),
    })),
  );
}

function removed(): ClusterDescription {
  return withRealms((realms) =>
    realms
      .filter((realm) => realm.name !== REALM)
      .map((realm) =>
        realm.name === CONTINENT.realm
          ? { ...realm, continents: realm.continents.filter((continent) => continent.name !== CONTINENT.name) }
          : realm,
      ),
  );
}

function worldsOf(name: string): readonly { readonly name: string }[] {
  return exampleHomelab.realms?.find((realm) => realm.name === name)?.continents ?? [];
}

function isLeaving({ metadata }: PlainObject): boolean {
  const { namespace, labels, name } = metadata;
  return (
    namespace === `realm-${REALM}` ||
    (namespace === `realm-${CONTINENT.realm}` && (labels?.['mmo/continent'] === CONTINENT.name || name.startsWith(`${CONTINENT.name}-`)))
  );
}

function isOther(object: PlainObject): boolean {
  return object.metadata.labels?.['mmo/continent'] !== undefined && !isLeaving(object);
}

/** Looks at every version of every Application: when one comes, those of earlier waves must have been settled at some moment before. */
function notingWhoIsEarly(files: readonly File[], early: Set<string>): (application: PlainObject) => void {
  const settled = new Set<string>();
  const known = new Set<string>();
  return (application) => {
    const { name } = application.metadata;
    if (!known.has(name)) {
      for (const { object } of files) {
        if (object.kind !== 'Application' || settled.has(object.metadata.name) || !(waveOf(object) < waveOf(application))) continue;
        early.add(`${name} (wave ${waveOf(application)}) before ${object.metadata.name} (wave ${waveOf(object)})`);
      }
    }
    known.add(name);
    if (isSettled(application)) settled.add(name);
  };
}

function distOf(description: ClusterDescription): Map<string, string> {
  return new Map(synthesize([description]).files);
}

function find(files: readonly File[], kind: string, name: string): File {
  const found = files.find(({ object }) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`The example has no ${kind} '${name}'.`);
  return found;
}

async function exists(client: Client, object: PlainObject): Promise<boolean> {
  try {
    await client.get(client.pathOf(object));
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'NotFound') return false;
    throw error;
  }
}

function applicationsOf(files: readonly File[]): number {
  return files.filter(({ object }) => object.kind === 'Application').length;
}

/** The root has no wave: it is above them. */
function waveOf({ metadata }: Pick<PlainObject, 'metadata'>): number {
  return Number(metadata.annotations?.['argocd.argoproj.io/sync-wave'] ?? Number.NaN);
}

function isSettled({ status }: PlainObject): boolean {
  return status?.sync?.status === 'Synced' && status.health?.status === 'Healthy' && status.operationState?.phase !== 'Running';
}

function unsettled(applications: readonly PlainObject[]): string[] {
  return applications
    .filter((application) => !isSettled(application))
    .map(({ metadata, status }) => {
      const objects = (status?.resources ?? []).filter(
        (each: { status: string; health?: { status: string } }) =>
          each.status !== 'Synced' || (each.health?.status ?? 'Healthy') !== 'Healthy',
      );
      return `${metadata.name}: ${status?.sync?.status}, ${status?.health?.status}, ${status?.operationState?.phase} ${status?.operationState?.message ?? ''} ${JSON.stringify(status?.conditions ?? [])} ${JSON.stringify(objects.slice(0, 4))}`;
    });
}

/**
 * When the last sync of each Application began. The root is not among them: it compares Applications, itself included, to which Argo CD writes all the time, and what it
 * sees in the middle of that may be a difference, for which it syncs once and changes nothing. A difference that stays keeps it from settling.
 */
function syncs(applications: readonly PlainObject[]): Record<string, unknown> {
  return Object.fromEntries(
    applications
      .filter(({ metadata }) => metadata.name !== 'root')
      .map(({ metadata, status }) => [metadata.name, status?.operationState?.startedAt]),
  );
}

/** Waits until everything has been Synced and Healthy for a while: an Application may be Synced to the commit before for a moment. */
async function settle(argo: ArgoCd): Promise<PlainObject[]> {
  let since = Date.now();
  let last = '';
  await eventually(
    async () => argo.applications,
    (applications) => {
      const now = JSON.stringify(applications.map(({ metadata, status }) => [metadata.name, status?.operationState?.startedAt]));
      if (now !== last || !applications.every(isSettled)) since = Date.now();
      last = now;
      return Date.now() - since > QUIET;
    },
    120,
  );
  return [...argo.applications];
}

/** What counts as a change of each object: its generation, or its content where it has none. */
async function states(client: Client, files: readonly File[]): Promise<Map<string, string>> {
  const ours = files.filter(({ object }) => object.kind !== 'Application');
  const entries = await Promise.all(
    ours.map(async ({ object }): Promise<[string, string]> => {
      const { metadata, status: _status, ...rest } = await client.get(client.pathOf(object));
      const { generation } = metadata as { generation?: number };
      return [named(object), JSON.stringify(generation ?? rest)];
    }),
  );
  return new Map(entries);
}

/** Pods by name and unique id. */
async function podsOf(client: Client, wanted: (pod: PlainObject) => boolean): Promise<string[]> {
  return (await client.list('/api/v1/pods'))
    .filter(wanted)
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name} ${(metadata as unknown as { uid: string }).uid}`)
    .sort();
}

async function claimsOf(client: Client): Promise<string[]> {
  const claims = await client.list('/api/v1/persistentvolumeclaims');
  return claims
    .map(
      ({ metadata, status }) => `${metadata.namespace}/${metadata.name} ${(metadata as unknown as { uid: string }).uid} ${status?.phase}`,
    )
    .sort();
}
