/** How a monitor of an upstream chart is judged: whether it selects a Service and a port that the chart renders. */
import { findBlindMonitors } from '../../../../lib/charts-verify/monitors';
import { readManifests } from '../../../../lib/charts-verify/rendered';
import { also } from './fixture';

const monitor = (kind: 'ServiceMonitor' | 'PodMonitor', spec: string): string => `apiVersion: monitoring.coreos.com/v1
kind: ${kind}
metadata: { name: demo, namespace: demo }
spec: ${spec}
`;
const blind = (...documents: readonly string[]): readonly string[] =>
  findBlindMonitors(readManifests(also(...documents)), 'demo').map((each) => each.message);

test.each([
  ['a Service by its port', monitor('ServiceMonitor', '{ selector: { matchLabels: { app: demo } }, endpoints: [{ port: http }] }')],
  [
    "a Service by its pods' port",
    monitor('ServiceMonitor', '{ selector: { matchLabels: { app: demo } }, endpoints: [{ targetPort: 8080 }] }'),
  ],
  [
    'a Service by an expression',
    monitor(
      'ServiceMonitor',
      '{ selector: { matchExpressions: [{ key: app, operator: In, values: [demo] }] }, endpoints: [{ port: http }] }',
    ),
  ],
  [
    'a Service by what it has not',
    monitor('ServiceMonitor', '{ selector: { matchExpressions: [{ key: old, operator: DoesNotExist }] }, endpoints: [{ port: http }] }'),
  ],
  ['pods by their port', monitor('PodMonitor', '{ selector: { matchLabels: { part: server } }, podMetricsEndpoints: [{ port: voice }] }')],
])('a monitor that finds %s is no difference', (_, document) => {
  expect(blind(document)).toEqual([]);
});

test.each([
  ['ServiceMonitor', monitor('ServiceMonitor', '{ selector: { matchLabels: { app: other } }, endpoints: [{ port: http }] }')],
  [
    'PodMonitor',
    monitor(
      'PodMonitor',
      '{ selector: { matchExpressions: [{ key: part, operator: NotIn, values: [server] }] }, podMetricsEndpoints: [{ port: http }] }',
    ),
  ],
])('a %s whose selector fits nothing is found', (_, document) => {
  expect(blind(document)).toEqual(['Its selector fits no Service or pods that the chart renders, so that nothing is scraped.']);
});

test('a port that the Service does not have is found', () => {
  expect(blind(monitor('ServiceMonitor', '{ selector: { matchLabels: { app: demo } }, endpoints: [{ port: metrics }] }'))).toEqual([
    'No port is called metrics; demo has http, 80.',
  ]);
});

test('a port that the pods do not have is found', () => {
  expect(blind(monitor('PodMonitor', '{ selector: { matchLabels: { app: demo } }, podMetricsEndpoints: [{ port: metrics }] }'))).toEqual([
    'No port is called metrics; demo has http, 8080, voice, 9000.',
  ]);
});

test('a monitor of another namespace is not judged', () => {
  expect(
    blind(
      monitor(
        'ServiceMonitor',
        '{ namespaceSelector: { matchNames: [kube-system] }, selector: { matchLabels: { app: kubelet } }, endpoints: [{ port: http }] }',
      ),
    ),
  ).toEqual([]);
});
