/**
 * Cases of the check `protected-data`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { runChecks } from '../../lib/checks';
import { protectedData } from '../../lib/checks/protected-data';
import { built, changed, cluster, excepting, goodObjects, sentencesOf, violationsOf, withMore } from './fixture';

const OPTIONS = 'argocd.argoproj.io/sync-options';
const sentences = (objects = goodObjects(), generation = 1) =>
  sentencesOf(protectedData, objects, { cluster: { ...cluster, database: { ...cluster.database, generation } } });
const unprotected = (id: string) => changed(id, ({ metadata }) => void delete metadata.annotations?.[OPTIONS]);
const database = (change: Parameters<typeof changed>[1]) => changed('Cluster database/postgres', change);

describe('protected-data', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentences()).toEqual([]);
  });

  it.each(['StatefulSet realm-aurora/eldermoor', 'Cluster database/postgres', 'ObjectStore database/backups', 'Namespace realm-aurora'])(
    'asks for both protections of %s',
    (id) => {
      expect(violationsOf(protectedData, unprotected(id)).map(({ object, field }) => `${object} ${field}`)).toEqual([
        `${id} metadata.annotations["${OPTIONS}"]`,
      ]);
    },
  );

  it('says what a sync could delete', () => {
    expect(sentences(unprotected('StatefulSet realm-aurora/eldermoor'))).toEqual([
      `StatefulSet realm-aurora/eldermoor metadata.annotations["argocd.argoproj.io/sync-options"]: It lacks Prune=false and Delete=false in its sync options (they are ''), so a sync can delete the owner of its volumes.`,
    ]);
  });

  it('finds half a protection', () => {
    const objects = changed('Namespace realm-aurora', ({ metadata }) => {
      metadata.annotations = { [OPTIONS]: 'Prune=false' };
    });
    expect(sentences(objects)).toEqual([
      `Namespace realm-aurora metadata.annotations["argocd.argoproj.io/sync-options"]: It lacks Delete=false in its sync options (they are 'Prune=false'), so a sync can delete everything in it, volumes included.`,
    ]);
  });

  it.each([
    ['PersistentVolumeClaim', 'v1'],
    ['PersistentVolume', 'v1'],
    ['Database', 'postgresql.cnpg.io/v1'],
    ['CustomResourceDefinition', 'apiextensions.k8s.io/v1'],
  ])('asks for the protection of a %s', (kind, apiVersion) => {
    const objects = withMore('database', { apiVersion, kind, metadata: { name: 'a', namespace: 'database' }, spec: {} });
    expect(violationsOf(protectedData, objects).map(({ object }) => object)).toEqual([`${kind} database/a`]);
  });

  it('leaves a StatefulSet without volumes alone', () => {
    const objects = changed('StatefulSet realm-aurora/eldermoor', ({ metadata, spec }) => {
      delete metadata.annotations;
      delete spec.volumeClaimTemplates;
    });
    expect(sentences(objects)).toEqual([]);
  });

  it("leaves another group's Cluster alone", () => {
    const objects = withMore('database', {
      apiVersion: 'cluster.x-k8s.io/v1beta1',
      kind: 'Cluster',
      metadata: { name: 'a', namespace: 'database' },
    });
    expect(sentences(objects)).toEqual([]);
  });

  it.each(['SealedSecret database/broker-owner', 'SealedSecret database/backup-s3', 'SealedSecret realm-aurora/backup'])(
    'asks for the protection of the credentials %s',
    (id) => {
      expect(violationsOf(protectedData, unprotected(id)).map(({ object }) => object)).toEqual([id]);
    },
  );

  it('says whose data the credentials read', () => {
    expect(sentences(unprotected('SealedSecret realm-aurora/backup'))).toEqual([
      `SealedSecret realm-aurora/backup metadata.annotations["argocd.argoproj.io/sync-options"]: It lacks Prune=false and Delete=false in its sync options (they are ''), so a sync can delete the credentials that Schedule 'worlds' needs to read its data.`,
    ]);
  });

  it('asks for Retain when the StatefulSet is deleted', () => {
    const objects = changed('StatefulSet realm-aurora/eldermoor', ({ spec }) => {
      spec.persistentVolumeClaimRetentionPolicy.whenDeleted = 'Delete';
    });
    expect(sentences(objects)).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.persistentVolumeClaimRetentionPolicy.whenDeleted: 'Delete' deletes its volumes when it is deleted.",
    ]);
  });

  it('asks for Retain to be written although it is the default', () => {
    const objects = changed('StatefulSet realm-aurora/eldermoor', ({ spec }) => {
      delete spec.persistentVolumeClaimRetentionPolicy.whenScaled;
    });
    expect(sentences(objects)).toEqual([
      'StatefulSet realm-aurora/eldermoor spec.persistentVolumeClaimRetentionPolicy.whenScaled: It does not say that its volumes stay when it is scaled down.',
    ]);
  });

  it('refuses Replace on an object', () => {
    const objects = changed('StatefulSet realm-aurora/eldermoor', ({ metadata }) => {
      metadata.annotations = { [OPTIONS]: 'Prune=false,Delete=false,Replace=true' };
    });
    expect(sentences(objects)).toEqual([
      'StatefulSet realm-aurora/eldermoor metadata.annotations["argocd.argoproj.io/sync-options"]: Its sync options have Replace=true: Argo CD would delete and make it again where it cannot change it.',
    ]);
  });

  it('lets nothing that holds data depart from the refusal of Force', () => {
    const objects = changed('StatefulSet realm-aurora/eldermoor', ({ metadata }) => {
      metadata.annotations = { [OPTIONS]: 'Prune=false,Delete=false,Force=true' };
    });
    const exception = { rule: 'protected-data', field: `metadata.annotations["${OPTIONS}"]`, reason: 'a test' };
    expect(sentences(excepting(objects, 'StatefulSet realm-aurora/eldermoor', exception))).toHaveLength(1);
  });

  it('lets an object without data be replaced with an exception', () => {
    const objects = changed('ConfigMap realm-aurora/eldermoor', ({ metadata }) => {
      metadata.annotations = { [OPTIONS]: 'Replace=true' };
    });
    const exception = { rule: 'protected-data', field: `metadata.annotations["${OPTIONS}"]`, reason: 'a test' };
    expect(sentences(excepting(objects, 'ConfigMap realm-aurora/eldermoor', exception))).toEqual([]);
  });

  it('refuses Replace for a whole Application', () => {
    const objects = changed('Application argocd/realms', ({ spec }) => spec.syncPolicy.syncOptions.push('Replace=true'));
    expect(sentences(objects)).toEqual([
      "Application argocd/realms spec.syncPolicy.syncOptions[5]: Its sync option 'Replace=true' replaces every object of the Application, those that hold data among them.",
    ]);
  });

  it('refuses to archive into a place that is not empty', () => {
    const objects = database(({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, 'cnpg.io/skipEmptyWalArchiveCheck': 'enabled' };
    });
    expect(sentences(objects)).toEqual([
      'Cluster database/postgres metadata.annotations["cnpg.io/skipEmptyWalArchiveCheck"]: The annotation cnpg.io/skipEmptyWalArchiveCheck lets it archive into a place that is not empty, over the history of another database.',
    ]);
  });

  it("asks for an archive of the database's generation", () => {
    const objects = database(({ spec }) => {
      spec.plugins[0].parameters.serverName = 'postgres';
    });
    expect(sentences(objects)).toEqual([
      "Cluster database/postgres spec.plugins[barman-cloud.cloudnative-pg.io].parameters.serverName: It archives as 'postgres', but the description says generation 1: a rebuilt database would write over an archive, or not find its own.",
    ]);
  });

  it("names the generation's archive", () => {
    const objects = database(({ spec }) => {
      spec.plugins[0].parameters.serverName = 'postgres';
    });
    expect(violationsOf(protectedData, objects).map(({ fix }) => fix)).toEqual([
      "Name the archive after the generation, 'postgres-1' (archiveName in lib/constructs/postgres.ts).",
    ]);
  });

  it('refuses an archive without a name', () => {
    const objects = database(({ spec }) => void delete spec.plugins[0].parameters.serverName);
    expect(sentences(objects)).toEqual([
      "Cluster database/postgres spec.plugins[barman-cloud.cloudnative-pg.io].parameters.serverName: It archives as '', but the description says generation 1: a rebuilt database would write over an archive, or not find its own.",
    ]);
  });

  it('asks no archive name of a plugin that archives nothing', () => {
    const objects = database(({ spec }) => void spec.plugins.push({ name: 'metrics.example.org' }));
    expect(sentences(objects)).toEqual([]);
  });

  it.each(['Replace=true', 'Force=true'])('refuses %s for a whole Application only once', (option) => {
    const objects = changed('Application argocd/realms', ({ spec }) => spec.syncPolicy.syncOptions.push(option));
    expect(runChecks(built(objects)).map(({ rule }) => rule)).toEqual([protectedData.id]);
  });

  it("asks for both protections of a world's claims", () => {
    const objects = changed('StatefulSet realm-aurora/eldermoor', ({ spec }) => {
      delete spec.volumeClaimTemplates[0].metadata.annotations;
    });
    expect(sentences(objects)).toEqual([
      `StatefulSet realm-aurora/eldermoor spec.volumeClaimTemplates[world].metadata.annotations["${OPTIONS}"]: It lacks Prune=false and Delete=false in its sync options (they are ''), so a sync can delete the volume 'world'.`,
    ]);
  });

  it('refuses a recovery in the first generation', () => {
    const objects = database(({ spec }) => {
      spec.bootstrap = { recovery: { source: 'postgres-0' } };
    });
    // Without initdb nobody refers to the owner's credentials; they stay protected.
    expect(sentences(objects)).toEqual([
      'Cluster database/postgres spec.bootstrap.recovery: It is recovered from a backup, but the description says generation 1, which is a new and empty database.',
    ]);
  });

  it('refuses a later generation that begins empty', () => {
    const objects = database(({ spec }) => {
      spec.plugins[0].parameters.serverName = 'postgres-2';
    });
    expect(sentences(objects, 2)).toEqual([
      'Cluster database/postgres spec.bootstrap: The description says generation 2, which is recovered from the one before it, but it would be made new and empty.',
    ]);
  });

  it('refuses to archive over the archive that the database comes from', () => {
    const objects = database(({ spec }) => {
      spec.plugins[0].parameters.serverName = 'postgres-2';
      spec.bootstrap = { recovery: { source: 'before' } };
      spec.externalClusters = [{ name: 'before', plugin: { name: 'barman', parameters: { serverName: 'postgres-2' } } }];
    });
    expect(sentences(objects, 2)).toEqual([
      "Cluster database/postgres spec.plugins[barman-cloud.cloudnative-pg.io].parameters.serverName: It archives as 'postgres-2', which is also the archive that it recovers from (external cluster 'before').",
    ]);
  });

  it('takes a recovered generation with an archive of its own', () => {
    const objects = database(({ spec }) => {
      spec.plugins[0].parameters.serverName = 'postgres-2';
      spec.bootstrap = { recovery: { source: 'postgres-1' } };
      spec.externalClusters = [{ name: 'postgres-1', plugin: { name: 'barman', parameters: { serverName: 'postgres-1' } } }];
    });
    expect(sentences(objects, 2)).toEqual([]);
  });
});
