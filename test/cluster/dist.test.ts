/** How the cluster tests read dist: what Argo CD may prune, and what objects expect of a cluster. No server is asked here. */
import type { PlainObject } from '../../lib/emit/manifest';
import { isProtected } from './dist';
import { needsOf } from './planes';

const object = (annotations?: Record<string, string>): PlainObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'a', ...(annotations === undefined ? {} : { annotations }) },
});
const OPTIONS = 'argocd.argoproj.io/sync-options';

test('an object without options may be pruned', () => {
  expect(isProtected(object())).toBe(false);
});

test('Prune=false among other options protects', () => {
  expect(isProtected(object({ [OPTIONS]: 'ServerSideApply=true,Prune=false' }))).toBe(true);
});

test('Delete=false alone does not protect from pruning', () => {
  expect(isProtected(object({ [OPTIONS]: 'Delete=false' }))).toBe(false);
});

const claim = (storageClassName?: string): PlainObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'a' },
  spec: { storageClassName },
});

test('a cluster has the nodes that selectors and affinities name', () => {
  const selected = { ...object(), spec: { nodeSelector: { 'kubernetes.io/hostname': 'node-3' } } };
  const preferred = { ...object(), spec: { terms: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node-1'] }] } };
  expect(needsOf([selected, preferred]).nodes).toEqual(['node-1', 'node-3']);
});

test('a cluster whose objects name no node has one', () => {
  expect(needsOf([object()]).nodes).toHaveLength(1);
});

test('it has the StorageClasses that claims name, and no default', () => {
  expect(needsOf([claim('longhorn')])).toEqual({ nodes: ['node-1'], storageClasses: ['longhorn'] });
});

test('claims that name none get a default', () => {
  const set: PlainObject = { ...object(), kind: 'StatefulSet', spec: { volumeClaimTemplates: [claim()] } };
  expect(needsOf([set])).toMatchObject({ storageClasses: ['standard'], defaultStorageClass: 'standard' });
});
