/** What counts as drift: every field of ours that an API server dropped or rewrote, and nothing that it added. No server is asked here. */
import { drift } from './drift';

test('a rewritten quantity is drift', () => {
  expect(drift({ spec: { requests: { cpu: '1000m' } } }, { spec: { requests: { cpu: '1' } } })).toEqual([
    { field: 'spec.requests.cpu', ours: '1000m', theirs: '1' },
  ]);
});

test('a number that came back as a text is drift', () => {
  expect(drift({ port: 80 }, { port: '80' })).toHaveLength(1);
});

test('a dropped field is drift', () => {
  expect(drift({ spec: { unknown: true } }, { spec: {} })).toEqual([{ field: 'spec.unknown', ours: true, theirs: undefined }]);
});

test('an empty map that was dropped is drift', () => {
  expect(drift({ spec: { emptyDir: {} } }, { spec: {} })).toEqual([{ field: 'spec.emptyDir', ours: {}, theirs: undefined }]);
});

test('a list that lost an item is drift as a whole', () => {
  expect(drift({ ports: [1, 2] }, { ports: [1] })).toEqual([{ field: 'ports', ours: [1, 2], theirs: [1] }]);
});

test('a changed item of a list is named by its place', () => {
  expect(drift({ containers: [{ image: 'a' }, { image: 'b' }] }, { containers: [{ image: 'a' }, { image: 'c' }] })).toEqual([
    { field: 'containers[1].image', ours: 'b', theirs: 'c' },
  ]);
});

test('lists in another order are drift', () => {
  expect(drift({ verbs: ['get', 'list'] }, { verbs: ['list', 'get'] })).toHaveLength(2);
});

test('what the server added is none', () => {
  expect(
    drift({ spec: { ports: [{ port: 80 }] } }, { spec: { type: 'ClusterIP', ports: [{ port: 80, protocol: 'TCP' }] }, status: {} }),
  ).toEqual([]);
});

test('an object that is not there has lost everything', () => {
  expect(drift({ kind: 'Service' }, undefined)).toEqual([{ field: '', ours: { kind: 'Service' }, theirs: undefined }]);
});
