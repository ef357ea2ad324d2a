/**
 * Cases of the check `autoscaled-replicas`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { runChecks } from '../../lib/checks';
import { autoscaledReplicas } from '../../lib/checks/autoscaled-replicas';
import { built, changed, find, sentencesOf, withMore } from './fixture';

const sentences = (objects?: Parameters<typeof sentencesOf>[1]) => sentencesOf(autoscaledReplicas, objects);

describe('autoscaled-replicas', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentences()).toEqual([]);
  });

  it('refuses replicas of a Deployment with an autoscaler', () => {
    expect(
      sentences(
        changed('Deployment connect-broker/connect-broker', ({ spec }) => {
          spec.replicas = 2;
        }),
      ),
    ).toEqual([
      "Deployment connect-broker/connect-broker spec.replicas: It says 2 replicas, but HorizontalPodAutoscaler 'connect-broker' owns the number.",
    ]);
  });

  it('refuses replicas of a Fleet with an autoscaler, zero too', () => {
    expect(
      sentences(
        changed('Fleet instances/dungeon', ({ spec }) => {
          spec.replicas = 0;
        }),
      ),
    ).toEqual(["Fleet instances/dungeon spec.replicas: It says 0 replicas, but FleetAutoscaler 'dungeon' owns the number."]);
  });

  it("is alone to report a Fleet's replicas", () => {
    const objects = changed('Fleet instances/dungeon', ({ spec }) => {
      spec.replicas = 2;
    });
    expect(runChecks(built(objects)).map(({ rule }) => rule)).toEqual([autoscaledReplicas.id]);
  });

  it('takes replicas of what nothing scales', () => {
    expect(
      sentences(
        changed('StatefulSet realm-aurora/eldermoor', ({ spec }) => {
          spec.replicas = 0;
        }),
      ),
    ).toEqual([]);
  });

  it('refuses a second autoscaler', () => {
    const second = structuredClone(
      find(
        changed('FleetAutoscaler instances/dungeon', () => {}),
        'FleetAutoscaler instances/dungeon',
      ).manifest,
    );
    second.metadata.name = 'dungeon-nights';
    expect(sentences(withMore('instances', second))).toEqual([
      "FleetAutoscaler instances/dungeon-nights spec.fleetName: It scales Fleet 'dungeon', which FleetAutoscaler 'dungeon' scales already: they would undo each other's work.",
    ]);
  });
});
