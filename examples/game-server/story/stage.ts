/**
 * Everything that the story happens on: a control plane, dist applied to it, the node runner, Agones' stand-in and the broker.
 * It deliberately tells nothing; run.ts does.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { local } from '../../../apps/local.ts';
import { generationKey, instanceKeySecret, REALM_KEY_SECRET } from '../../../lib/constructs/netcode-keys.ts';
import type { PlainObject } from '../../../lib/emit/manifest.ts';
import { BROKER_SERVICE, NAMESPACES } from '../../../lib/platform.ts';
import { synthesize } from '../../../lib/synth.ts';
import type { Leftovers } from '../../../packages/netcode-token/interop/processes.ts';
import { findBinaries } from '../../../test/cluster/binaries.ts';
import { Client } from '../../../test/cluster/client.ts';
import { startControlPlane } from '../../../test/cluster/control-plane.ts';
import { AGONES_DEFINITIONS, Agones } from './agones.ts';
import { startBroker } from './broker.ts';
import { NodeRunner } from './node-runner.ts';

const REALM = 'aurora';
const CONTINENT = 'eldermoor';
const CONTENT = 'dungeon';
const NODE = 'local-control-plane';
/** Applications that the story applies, in their order. Of the broker's only who it is and what it may do: its program runs here. */
const APPLICATIONS = ['namespaces', 'connect-broker', 'realms', 'realm-aurora', 'instances'];
/** Kinds that nobody here acts on. */
const LEFT_OUT = new Set(['Deployment', 'Job', 'HorizontalPodAutoscaler', 'PodDisruptionBudget', 'NetworkPolicy']);

export interface Stage {
  readonly client: Client;
  readonly node: NodeRunner;
  /** The players' address of the broker. */
  readonly url: string;
  readonly realm: string;
  readonly namespace: string;
  readonly continent: string;
  readonly content: string;
  /** Applies dist as it is with another build of the game. */
  update(build: string): Promise<void>;
}

/** The files of dist, as the synth makes them of a description. */
function dist(description: typeof local): PlainObject[] {
  const { files } = synthesize([description]);
  const objects = [...files].map(([file, text]) => ({ application: file.split('/')[1] ?? '', object: parse(text) as PlainObject }));
  return APPLICATIONS.flatMap((application) => objects.filter((each) => each.application === application).map(({ object }) => object));
}

/** @param tell hears what nodes and servers do */
export async function setStage(leftovers: Leftovers, folder: string, program: string, tell: (what: string) => void): Promise<Stage> {
  // The newest: all of them take dist, and one is enough for a story.
  const binaries = findBinaries()
    .filter(({ controllers }) => controllers)
    .at(-1);
  if (binaries === undefined)
    throw new Error('KUBEBUILDER_ASSETS names no folder with controllers; docs/how-to/test-on-a-real-api-server.md says how to get them.');
  const plane = await startControlPlane({
    binaries,
    nodes: [NODE],
    storageClasses: ['standard'],
    defaultStorageClass: 'standard',
    kwok: false,
  });
  leftovers.ends(() => plane.stop());
  const client = new Client(plane.address);
  leftovers.ends(() => client.close());

  await client.discover();
  for (const definition of AGONES_DEFINITIONS) await client.apply(definition);
  await eventuallyServed(client);
  const apply = async (objects: readonly PlainObject[]): Promise<void> => {
    for (const object of objects) {
      if (!LEFT_OUT.has(object.kind) && client.serves(object.apiVersion, object.kind)) await client.apply(object);
    }
  };

  // A net of one's own on loopback, so that nobody else's ports are in the way: the node is .1, pods come after it.
  const net = `127.${100 + Math.floor(Math.random() * 100)}.${Math.floor(Math.random() * 250)}`;
  const nodeAddress = `${net}.1`;
  const objects = dist(local);
  const inOrder = (namespaces: boolean) => objects.filter(({ kind }) => (kind === 'Namespace') === namespaces);
  await apply(inOrder(true));
  const netcodeKeys = await makeKeys(client);
  const agones = new Agones({
    client,
    address: plane.address,
    namespace: NAMESPACES.instances,
    node: { name: NODE, address: nodeAddress },
    hostPorts: local.network?.instancePorts ?? { first: 7000, last: 7009 },
  });
  const config = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'connect-broker-config');
  if (config === undefined) throw new Error('dist has no configuration of the broker.');
  await apply(inOrder(false).filter(({ kind }) => kind !== 'StatefulSet' && !kind.startsWith('Fleet')));
  const token = await client.request<{ status: { token: string } }>(
    'POST',
    `/api/v1/namespaces/${NAMESPACES.broker}/serviceaccounts/${BROKER_SERVICE}/token`,
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  );
  const ports = await startBroker({
    leftovers,
    folder,
    address: plane.address,
    token: token.body.status.token,
    config: (config as unknown as { data: Record<string, string> }).data['config.json'] ?? '',
    netcodeKeys,
    nodeAddress,
  });
  const pods = path.join(folder, 'pods');
  mkdirSync(pods, { recursive: true, mode: 0o700 });
  const node = await NodeRunner.start({
    client,
    node: NODE,
    address: nodeAddress,
    podAddress: (index) => `${net}.${index + 1}`,
    program,
    folder: pods,
    services: { 'connect-broker-internal.connect-broker.svc.cluster.local:8081': `127.0.0.1:${ports.internal}` },
    sidecar: (pod) => agones.sidecar(pod),
    tell,
  });
  leftovers.ends(() => node.stop());
  await agones.start();
  leftovers.ends(() => agones.stop());
  await apply(inOrder(false));

  return {
    client,
    node,
    url: `http://127.0.0.1:${ports.http}`,
    realm: REALM,
    namespace: `realm-${REALM}`,
    continent: CONTINENT,
    content: CONTENT,
    update: async (build) => {
      const { game } = local;
      await apply(
        dist({ ...local, game: { ...game, build, image: game.image.replace(game.build, build) } }).filter(
          ({ kind }) => kind !== 'Namespace',
        ),
      );
    },
  };
}

/** In place of the sealed-secrets controller: keys of this run alone, for the broker and for the game servers. */
async function makeKeys(client: Client): Promise<Record<string, Uint8Array>> {
  const keys: Record<string, Uint8Array> = {};
  const make = async (file: string, namespace: string, name: string): Promise<void> => {
    const key = randomBytes(32);
    keys[file] = key;
    await client.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace },
      data: { [generationKey(1)]: key.toString('base64') },
    });
  };
  await make(`realm.${REALM}.1`, `realm-${REALM}`, REALM_KEY_SECRET);
  await make(`instance.${CONTENT}.1`, NAMESPACES.instances, instanceKeySecret(CONTENT));
  return keys;
}

async function eventuallyServed(client: Client): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    await client.discover();
    if (AGONES_DEFINITIONS.every(({ spec }) => client.serves(`${spec.group}/v1`, spec.names.kind))) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("The API server does not serve Agones' kinds.");
}
