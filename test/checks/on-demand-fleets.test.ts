/** A fleet that scales on demand in the whole of a cluster: the address that Agones asks leads to a Service, a port and a flow, which the checks find by themselves. */
import { buildCluster } from '../../lib/build';
import { runChecks } from '../../lib/checks';
import { resolveCluster } from '../../lib/model/cluster';
import { memoryStore } from '../../lib/secrets/store';
import { exampleHomelab } from '../examples';

const built = buildCluster(
  resolveCluster({ ...exampleHomelab, instances: [{ name: 'vault', capacity: 5, autoscaling: { policy: 'on-demand', warm: 0, max: 4 } }] }),
  { store: memoryStore('everything') },
);
const webhook = built.objects.find(({ manifest }) => manifest.kind === 'FleetAutoscaler')?.manifest.spec.policy.webhook;

test('no check finds anything', () => {
  expect(runChecks(built)).toEqual([]);
});

test.each([
  [
    'the port of game servers',
    (url: string) => url.replace('-autoscaler.', '-internal.').replace(':8082', ':8081'),
    'No flow permits it: traffic from agones-controller of chart agones to Deployment connect-broker/connect-broker on 8081/TCP, which it needs because it sends to Service connect-broker/connect-broker-internal.',
  ],
  [
    'a port that the Service does not have',
    (url: string) => url.replace(':8082', ':8081'),
    "Service connect-broker/connect-broker-autoscaler has no port '8081'; it has autoscaler (8082).",
  ],
  [
    'no port',
    (url: string) => url.replace(':8082', ''),
    "Service connect-broker/connect-broker-autoscaler has no port '80'; it has autoscaler (8082).",
  ],
  [
    'a Service that does not exist',
    (url: string) => url.replace('-autoscaler.', '-scaler.'),
    expect.stringContaining('Service connect-broker/connect-broker-scaler'),
  ],
])('a webhook that asks at %s is found', (_where, moved, message) => {
  const { url } = webhook;
  webhook.url = moved(url);
  try {
    expect(runChecks(built).map((violation) => [violation.field, violation.message])).toEqual([['spec.policy.webhook.url', message]]);
  } finally {
    webhook.url = url;
  }
});
