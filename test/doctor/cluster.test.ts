/** `npm run doctor` with a cluster, from prepared answers of kubectl; against a real API server it is test/cluster/doctor.cluster.ts. */
import { KUBERNETES } from '../../lib/doctor/versions';
import { makeKubectl } from '../../lib/kubectl';
import type { RunProgram } from '../../lib/programs';
import { makeKey } from '../secrets/fixtures';
import { healthyCluster, kubectlOf, object, type Prepared } from './prepared';
import { complaints, examine, fixes, healthyProject, NOW } from './project';

const LIVE = ['cluster', 'clock', 'storage', 'operators', 'argo cd', 'certificates', 'backups', 'players'];

let root: string;
beforeAll(async () => {
  root = (await healthyProject()).root;
});

const look = (prepared: Prepared, only: readonly string[] = LIVE) => examine(root, { kubectl: kubectlOf(prepared) }, only);
/** What is said of a cluster that was well before the change. */
async function after(change: (prepared: Prepared) => void, only?: readonly string[]) {
  const prepared = healthyCluster(root);
  change(prepared);
  return complaints(await look(prepared, only));
}

test('has nothing to say against a cluster without a fault', async () => {
  expect(await after(() => undefined)).toEqual([]);
});

test('looks at everything that it has a group for', async () => {
  const found = await look(healthyCluster(root));
  expect([...new Set(found.filter(({ outcome }) => outcome === 'ok').map(({ group }) => group))]).toEqual(LIVE);
});

test('asks nothing of a cluster unless told how to reach it', async () => {
  expect(await examine(root, {}, LIVE)).toEqual([]);
});

describe('a broken state: nobody answers', () => {
  const refused: RunProgram = async () => ({
    code: 1,
    output: '',
    errors:
      'E0101 00:00:00.000000 1 memcache.go:265] "Unhandled Error"\nThe connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?\n',
  });
  const found = () => examine(root, { kubectl: makeKubectl(refused) }, LIVE);

  test('is one line and not one for each group', async () => {
    expect(complaints(await found())).toEqual([
      'cluster/reachable: Nobody answers for the cluster: The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?',
    ]);
  });

  test('is a failure', async () => {
    expect((await found()).map(({ outcome }) => outcome)).toEqual(['failed']);
  });
});

describe('a broken state: a cluster before its installation', () => {
  test('is told to run Terraform, and kinds that are not there yet are no failures', async () => {
    const found = await look(
      {
        ...healthyCluster(root),
        notServed: new Set([
          'applications.argoproj.io',
          'sealedsecrets.bitnami.com',
          'certificates.cert-manager.io',
          'objectstores.barmancloud.cnpg.io',
        ]),
      },
      ['argo cd', 'certificates', 'backups'],
    );
    expect(complaints(found)).toEqual(['argo cd/argo-cd: Argo CD is not installed.']);
    expect(fixes(found)).toEqual(['terraform -chdir=terraform/clusters/homelab apply']);
  });
});

describe('Kubernetes', () => {
  const version = (gitVersion: string) =>
    after(({ texts }) => Object.assign(texts, { version: JSON.stringify({ serverVersion: { gitVersion } }) }), ['cluster']);

  test('that is too old is a failure', async () => {
    expect(await version('v1.31.4')).toEqual([
      `cluster/kubernetes: Kubernetes v1.31.4 is older than ${KUBERNETES.oldest}, and refuses CRDs of operators.`,
    ]);
  });

  test('that nobody tested is a warning', async () => {
    expect(await version('v1.99.0')).toEqual([
      `cluster/kubernetes: Kubernetes v1.99.0 is newer than ${KUBERNETES.newest}, the newest that this project was tested with.`,
    ]);
  });

  test.each(['v1.33.13', 'v1.37.2', 'v1.35.1+k3s1'])('%s is fine', async (gitVersion) => {
    expect(await version(gitVersion)).toEqual([]);
  });
});

describe('nodes', () => {
  const nodes = (change: (prepared: Prepared) => void) => after(change, ['cluster']);

  test('that are missing are told', async () => {
    expect(await nodes(({ lists }) => lists.nodes?.pop())).toEqual([
      'cluster/nodes: The cluster has no node node-3; it has node-1, node-2.',
    ]);
  });

  test('with another address than described are told', async () => {
    const found = await nodes((prepared) => {
      object(prepared, 'nodes', 'node-2').status.addresses[0].address = '192.168.1.77';
    });
    expect(found).toEqual(['cluster/node-addresses: Addresses differ: node-2 has 192.168.1.77, described as 192.168.1.12.']);
  });

  test('that are not ready, or take no pods, are told', async () => {
    const found = await nodes((prepared) => {
      object(prepared, 'nodes', 'node-1').status.conditions[0].status = 'Unknown';
      object(prepared, 'nodes', 'node-2').spec.unschedulable = true;
    });
    expect(found).toEqual(['cluster/nodes-ready: Node node-1 is not ready.', 'cluster/nodes-schedulable: Node node-2 takes no new pods.']);
  });
});

describe('clocks', () => {
  const clocks = (change: (prepared: Prepared) => void) => after(change, ['clock']);

  test('of a node that runs ahead are a failure', async () => {
    const found = await clocks((prepared) => {
      object(prepared, 'leases.coordination.k8s.io', 'node-2').spec.renewTime = new Date(Date.now() + 90_000).toISOString();
    });
    expect(found[0]).toMatch(/^clock\/node-clocks: Clocks differ: node-2 is \d\d s ahead/);
  });

  test('of this machine are compared with the API server’s', async () => {
    const found = await clocks(({ texts }) => Object.assign(texts, { time: new Date(Date.now() - 600_000).toISOString() }));
    expect(found[0]).toMatch(/^clock\/own-clock: This machine's clock is [56]\d\d s ahead of the API server's\./);
  });
});

describe('storage', () => {
  const storage = (change: (prepared: Prepared) => void) => after(change, ['storage']);

  test('of a class that is not there is a failure', async () => {
    expect(
      await storage(({ lists }) => Object.assign(lists, { 'storageclasses.storage.k8s.io': [{ metadata: { name: 'local-path' } }] })),
    ).toEqual(["storage/storage-class: The cluster has no StorageClass 'longhorn'; it has local-path."]);
  });

  test('that cannot grow, although the description says so, is a failure', async () => {
    const found = await storage((prepared) => {
      object(prepared, 'storageclasses.storage.k8s.io', 'longhorn').allowVolumeExpansion = false;
    });
    expect(found).toEqual(["storage/expansion: StorageClass 'longhorn' cannot grow volumes, but storage.expandable says so."]);
  });

  test('without snapshots is no fault', async () => {
    expect(await storage(({ notServed }) => notServed.add('volumesnapshotclasses.snapshot.storage.k8s.io'))).toEqual([]);
  });
});

describe('operators', () => {
  const operators = (change: (prepared: Prepared) => void) => after(change, ['operators']);

  test('whose CRDs are missing are told by the CRDs', async () => {
    const found = await operators(({ lists }) => {
      const definitions = lists['customresourcedefinitions.apiextensions.k8s.io'] ?? [];
      definitions.splice(
        definitions.findIndex(({ metadata }) => metadata.name === 'fleets.agones.dev'),
        1,
      );
    });
    expect(found[0]).toMatch(/^operators\/definitions: 1 of \d+ CRDs are not served: fleets\.agones\.dev\.$/);
  });

  test('that do not run are told by name, each chart once', async () => {
    const found = await operators((prepared) => {
      object(prepared, 'deployments.apps', 'k8up').status = {};
    });
    expect(found).toEqual(['operators/controllers: k8up: Deployment k8up has 0 of 1 pods ready.']);
  });
});

describe("Argo CD's Applications", () => {
  const applications = (change: (prepared: Prepared) => void) => after(change, ['argo cd']);

  test('that are broken are told with the reason', async () => {
    const found = await applications((prepared) => {
      object(prepared, 'applications.argoproj.io', 'realms').status = {
        sync: { status: 'Unknown' },
        health: { status: 'Healthy' },
        conditions: [{ type: 'ComparisonError', message: 'repository not found' }],
      };
    });
    expect(found).toEqual(['argo cd/applications: Application realms is Unknown and Healthy: repository not found.']);
  });

  test('that are on their way are a warning', async () => {
    const prepared = healthyCluster(root);
    object(prepared, 'applications.argoproj.io', 'database').status.health.status = 'Progressing';
    expect((await look(prepared, ['argo cd'])).map(({ outcome, text }) => [outcome, text])).toEqual([
      ['warning', 'Application database is Synced and Progressing.'],
    ]);
  });

  test('that are missing, and those that Git does not have, are told', async () => {
    const found = await applications(({ lists }) => {
      const all = lists['applications.argoproj.io'] ?? [];
      all.splice(
        all.findIndex(({ metadata }) => metadata.name === 'pihole'),
        1,
      );
      all.push({ metadata: { name: 'realm-gone' }, status: {} });
    });
    expect(found).toEqual([
      'argo cd/applications: 1 Applications are missing: pihole.',
      'argo cd/foreign-applications: Git has no Application realm-gone.',
    ]);
  });
});

describe('certificates and keys', () => {
  const certificates = (change: (prepared: Prepared) => void) => after(change, ['certificates']);

  test('of another sealing key are a failure', async () => {
    const { certificate } = await makeKey();
    const found = await certificates(({ texts }) => Object.assign(texts, { secrets: `${Buffer.from(certificate).toString('base64')}\n` }));
    expect(found).toEqual([
      'certificates/sealing-key: The cluster holds another key and not that of the committed certificate: it opens nothing of this repository.',
    ]);
  });

  test('that were not issued are told in the words of cert-manager', async () => {
    const found = await certificates((prepared) => {
      object(prepared, 'certificates.cert-manager.io', 'connect-broker-tls').status = {
        conditions: [{ type: 'Ready', status: 'False', message: 'Waiting for DNS-01 challenge' }],
      };
    });
    expect(found).toEqual([
      'certificates/issued: Certificate connect-broker/connect-broker-tls is not there: Waiting for DNS-01 challenge',
    ]);
  });

  test('that run out are told with the days', async () => {
    const found = await certificates((prepared) => {
      object(prepared, 'certificates.cert-manager.io', 'connect-broker-tls').status.notAfter = new Date(
        NOW.getTime() + 5 * 24 * 60 * 60 * 1000,
      ).toISOString();
    });
    expect(found).toEqual(['certificates/issued: Certificate connect-broker/connect-broker-tls expires in 5 days and was not renewed.']);
  });

  test('of SealedSecrets that were not opened are told by name', async () => {
    const found = await certificates((prepared) => {
      object(prepared, 'sealedsecrets.bitnami.com', 'netcode-key').status.conditions[0].status = 'False';
    });
    expect(found).toEqual(['certificates/opened: 1 of 1 SealedSecrets were not opened: realm-aurora/netcode-key.']);
  });
});

describe('backups', () => {
  const backups = (change: (prepared: Prepared) => void) => after(change, ['backups']);

  test('of the database that are missing are told', async () => {
    const found = await backups((prepared) => {
      object(prepared, 'objectstores.barmancloud.cnpg.io', 'backups').status = {};
    });
    expect(found).toEqual(["backups/database-backup: The archive 'postgres-1' has no base backup, so it restores nothing."]);
  });

  test('of the database that are old are told with their age', async () => {
    const found = await backups((prepared) => {
      object(prepared, 'objectstores.barmancloud.cnpg.io', 'backups').status.serverRecoveryWindow['postgres-1'].lastSuccessfulBackupTime =
        '2026-05-30T03:15:00Z';
    });
    expect(found).toEqual(["backups/database-backup: The last base backup of 'postgres-1' is 56 h old."]);
  });

  test('of worlds are told for each world that lacks one', async () => {
    const found = await backups(({ lists }) => {
      const snapshots = lists['snapshots.k8up.io'] ?? [];
      snapshots[0].spec.date = '2026-05-29T12:00:00Z';
      snapshots.splice(1, 1);
    });
    expect(found).toEqual(['backups/world-backups: The last backup of aurora/eldermoor is 72 h old, aurora/sunreach is missing.']);
  });
});

describe("the broker's view of players", () => {
  const clients = (counts: object, only = ['players']) =>
    after(({ texts }) => {
      texts['exec a'] = JSON.stringify({ clients: counts });
      delete texts['exec b'];
    }, only);

  test("that sees nodes in players' place is a failure", async () => {
    expect(await clients({ internet: 0, private: 2, nodes: 40 })).toEqual([
      "players/true-addresses: The broker sees players as the cluster's own nodes (40 of 42 requests): bans and limits of one would hit all.",
    ]);
  });

  test('that never saw the Internet is a warning', async () => {
    expect((await clients({ internet: 0, private: 7, nodes: 0 }))[0]).toMatch(
      /^players\/true-addresses: All 7 requests to the broker came from private addresses/,
    );
  });

  test('that sees the Internet is fine', async () => {
    expect(await clients({ internet: 9, private: 7, nodes: 0 })).toEqual([]);
  });

  test('is not judged when no replica can be asked', async () => {
    const found = await look({ ...healthyCluster(root), texts: {} }, ['players']);
    expect(found.map(({ check, outcome }) => [check, outcome])).toEqual([
      ['addresses', 'ok'],
      ['true-addresses', 'skipped'],
    ]);
  });
});

test('an address that no Service has is told with what it is for', async () => {
  const found = await after(({ lists }) => lists.services?.shift(), ['players']);
  expect(found).toEqual(['players/addresses: No Service has 192.168.1.240 (the players’ entry).']);
});

test('what a kubeconfig may not see is not judged', async () => {
  const run: RunProgram = async (program, args) =>
    args.includes('nodes')
      ? { code: 1, output: '', errors: 'Error from server (Forbidden): nodes is forbidden: User "guest" cannot list resource "nodes"\n' }
      : { code: 0, output: JSON.stringify({ serverVersion: { gitVersion: 'v1.35.0' } }), errors: program };
  const found = await examine(root, { kubectl: makeKubectl(run) }, ['cluster']);
  expect(found.map(({ outcome, check }) => [outcome, check])).toEqual([['skipped', 'allowed']]);
});
