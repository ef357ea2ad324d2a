/**
 * Cases of the check `disruption-budget`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { disruptionBudget } from '../../lib/checks/disruption-budget';
import { changed, excepting, find, sentencesOf, without } from './fixture';

const sentences = (objects?: Parameters<typeof sentencesOf>[1]) => sentencesOf(disruptionBudget, objects);
const WORLD_BUDGET = 'PodDisruptionBudget realm-aurora/eldermoor';
const BROKER_BUDGET = 'PodDisruptionBudget connect-broker/connect-broker';

/** The good objects without the broker's autoscaler, and with so many replicas. */
function brokerWith(replicas: number | undefined) {
  const objects = without('HorizontalPodAutoscaler connect-broker/connect-broker');
  const { spec } = find(objects, 'Deployment connect-broker/connect-broker').manifest;
  if (replicas !== undefined) spec.replicas = replicas;
  return objects;
}

describe('disruption-budget', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentences()).toEqual([]);
  });

  it('asks for the budget of a world', () => {
    expect(sentences(without(WORLD_BUDGET))).toEqual([
      'StatefulSet realm-aurora/eldermoor spec.template.metadata.labels: It is a world, and no disruption budget selects it: draining its node ends it without a warning to its players.',
    ]);
  });

  it('asks for no budget of a retired world, which has no pod', () => {
    const objects = without(WORLD_BUDGET);
    find(objects, 'StatefulSet realm-aurora/eldermoor').manifest.spec.replicas = 0;
    expect(sentences(objects)).toEqual([]);
  });

  it('refuses a budget that lets a world be evicted', () => {
    expect(
      sentences(
        changed(WORLD_BUDGET, ({ spec }) => {
          spec.maxUnavailable = 1;
        }),
      ),
    ).toEqual([
      "PodDisruptionBudget realm-aurora/eldermoor spec.maxUnavailable: maxUnavailable 1 lets a world (StatefulSet 'eldermoor') be evicted while it is played on.",
    ]);
  });

  it('asks for the budget of a workload with an autoscaler', () => {
    expect(sentences(without(BROKER_BUDGET))).toEqual([
      'Deployment connect-broker/connect-broker spec.template.metadata.labels: It has an autoscaler, and no disruption budget selects it: draining nodes may end all of them at once.',
    ]);
  });

  it('asks for the budget of a workload with several replicas', () => {
    const objects = brokerWith(3);
    objects.splice(objects.indexOf(find(objects, BROKER_BUDGET)), 1);
    expect(sentences(objects)).toEqual([
      'Deployment connect-broker/connect-broker spec.template.metadata.labels: It has 3 replicas, and no disruption budget selects it: draining nodes may end all of them at once.',
    ]);
  });

  it('asks for no budget of a single replica', () => {
    const objects = brokerWith(undefined);
    objects.splice(objects.indexOf(find(objects, BROKER_BUDGET)), 1);
    expect(sentences(objects)).toEqual([]);
  });

  it('counts a budget only where its selector selects', () => {
    expect(
      sentences(
        changed(BROKER_BUDGET, ({ spec }) => {
          spec.selector.matchLabels = { app: 'other' };
        }),
      ),
    ).toHaveLength(1);
  });

  it('refuses a budget that keeps a single replica where it is', () => {
    const objects = brokerWith(undefined);
    find(objects, BROKER_BUDGET).manifest.spec = { minAvailable: 1, selector: { matchLabels: { app: 'connect-broker' } } };
    expect(sentences(objects)).toEqual([
      "PodDisruptionBudget connect-broker/connect-broker spec.minAvailable: minAvailable 1 never lets the only pod of Deployment 'connect-broker' be evicted: draining its node would wait for ever.",
    ]);
  });

  it('lets a single replica be kept with an exception', () => {
    const objects = brokerWith(undefined);
    find(objects, BROKER_BUDGET).manifest.spec = { minAvailable: 1, selector: { matchLabels: { app: 'connect-broker' } } };
    expect(
      sentences(excepting(objects, BROKER_BUDGET, { rule: 'disruption-budget', field: 'spec.minAvailable', reason: 'a test' })),
    ).toEqual([]);
  });

  it('refuses a budget that keeps all replicas of an autoscaled workload', () => {
    const objects = changed(BROKER_BUDGET, ({ spec }) => {
      delete spec.maxUnavailable;
      spec.minAvailable = '100%';
    });
    expect(sentences(objects)).toEqual([
      "PodDisruptionBudget connect-broker/connect-broker spec.minAvailable: minAvailable 100% never lets one of the 2 pods of Deployment 'connect-broker' be evicted: draining its node would wait for ever.",
    ]);
  });

  it('refuses two budgets for the same pods', () => {
    const objects = changed(BROKER_BUDGET, () => {});
    const second = structuredClone(find(objects, BROKER_BUDGET));
    second.manifest.metadata.name = 'second';
    expect(sentences([...objects, second])).toEqual([
      'Deployment connect-broker/connect-broker spec.template.metadata.labels: Its pods are selected by 2 disruption budgets (connect-broker, second): Kubernetes refuses to evict such a pod at all.',
    ]);
  });
});
