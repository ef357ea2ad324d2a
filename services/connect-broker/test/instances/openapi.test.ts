/** The API documents name the routes of instances, so that game clients and servers can be written against them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { internalApplication } from '../../src/http/internal.ts';
import { publicApplication } from '../../src/http/public.ts';
import { onDatabase } from '../support/databases.ts';
import { type World, worldOn } from './support.ts';

onDatabase('the API document', (database) => {
  let world: World;
  before(() => {
    world = worldOn(database());
  });
  after(() => world.broker.dispose());

  const pathsOf = async (make: typeof publicApplication): Promise<string[]> => {
    const app = await make(world.broker);
    const answer = await app.inject({ method: 'GET', url: '/v1/openapi.json' });
    await app.close();
    const { paths } = answer.json() as { paths: Record<string, object> };
    return Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
  };

  test('for players has instances', async () => {
    const paths = await pathsOf(publicApplication);
    assert.deepEqual(paths.filter((path) => path.includes('instances') && !path.includes('admin')).sort(), [
      'get /v1/instances',
      'get /v1/instances/{id}',
      'post /v1/instances/{target}/connect',
    ]);
  });

  test('for game servers has hand-overs, and not what Agones asks elsewhere', async () => {
    const paths = await pathsOf(internalApplication);
    assert.deepEqual(paths.filter((path) => path.includes('hand-overs') || path.includes('autoscaler')).sort(), [
      'get /v1/game/hand-overs/{id}',
      'post /v1/game/hand-overs',
    ]);
  });
});
