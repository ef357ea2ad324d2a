/**
 * Cases of the check `pinned-images`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { pinnedImages, unverifiedImages } from '../../lib/checks/pinned-images';
import { imageReference, images } from '../../versions';
import { built, changed, cluster, DIGEST, sentencesOf, withMore } from './fixture';

const sentences = (objects?: Parameters<typeof sentencesOf>[1], overrides = {}) => sentencesOf(pinnedImages, objects, overrides);
const world = (image: string) =>
  changed('StatefulSet realm-aurora/eldermoor', ({ spec }) => {
    spec.template.spec.containers[0].image = image;
  });
const game = (image: string, imageUnverified?: string) => ({ cluster: { ...cluster, game: { ...cluster.game, image, imageUnverified } } });

/** All images of the game, in another version. */
function withGame(image: string) {
  const objects = world(image);
  for (const { manifest } of objects) if (manifest.kind === 'Fleet') manifest.spec.template.spec.template.spec.containers[0].image = image;
  return objects;
}

describe('pinned-images', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentences()).toEqual([]);
  });

  it('refuses the tag latest', () => {
    expect(sentences(world('registry.example.org/mmo/server:latest'))).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].image: The image 'registry.example.org/mmo/server:latest' has the tag 'latest'.",
    ]);
  });

  it('refuses an image without a tag, also where the registry has a port', () => {
    expect(sentences(world('registry.example.org:5000/mmo/server'))).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].image: The image 'registry.example.org:5000/mmo/server' has no tag, which means 'latest'.",
    ]);
  });

  it('refuses an image that nobody pinned', () => {
    expect(sentences(world(`docker.io/library/busybox:1.37@${DIGEST}`))).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].image: The image 'docker.io/library/busybox:1.37@sha256:abababababababababababababababababababababababababababababababab' is neither in versions.ts nor in the description.",
    ]);
  });

  it('refuses another version of a pinned image', () => {
    expect(sentences(world(`registry.example.org/mmo/server:0.9.0@${DIGEST}`))).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].image: The image 'registry.example.org/mmo/server:0.9.0@sha256:abababababababababababababababababababababababababababababababab' is not the pinned 'registry.example.org/mmo/server:1.0.0@sha256:abababababababababababababababababababababababababababababababab' of the description.",
    ]);
  });

  it('refuses a game image without a digest', () => {
    const image = 'registry.example.org/mmo/server:1.0.0';
    expect(sentences(withGame(image), game(image))).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].image: The image 'registry.example.org/mmo/server:1.0.0' has no digest, and the description does not say why.",
      "Fleet instances/dungeon spec.template.spec.template.spec.containers[game].image: The image 'registry.example.org/mmo/server:1.0.0' has no digest, and the description does not say why.",
    ]);
  });

  it('takes a game image without a digest where the description says why', () => {
    const image = 'registry.example.org/mmo/server:1.0.0';
    expect(sentences(withGame(image), game(image, 'built on this machine'))).toEqual([]);
  });

  it('refuses another database image than that of versions.ts', () => {
    const objects = changed('Cluster database/postgres', ({ spec }) => {
      spec.imageName = 'ghcr.io/cloudnative-pg/postgresql:16.0';
    });
    expect(sentences(objects)).toHaveLength(1);
  });

  it('refuses a database whose image the operator chooses', () => {
    const objects = changed('Cluster database/postgres', ({ spec }) => void delete spec.imageName);
    expect(sentences(objects)).toEqual(['Cluster database/postgres spec.imageName: It names no image, and so something else chooses one.']);
  });

  it("takes a PodConfig without an image, which is K8up's to fill in", () => {
    const spec = { template: { spec: { containers: [{ name: 'backup' }] } } };
    expect(
      sentences(
        withMore('realms', { apiVersion: 'k8up.io/v1', kind: 'PodConfig', metadata: { name: 'a', namespace: 'realm-aurora' }, spec }),
      ),
    ).toEqual([]);
  });
});

describe('unverifiedImages', () => {
  it('lists each image without a digest once, with the reason', () => {
    const image = 'registry.example.org/mmo/server:1.0.0';
    const overrides = game(image, 'built on this machine');
    expect(unverifiedImages(built(withGame(image), overrides)).filter((each) => each.image === image)).toEqual([
      { image, reason: 'built on this machine' },
    ]);
  });

  it('lists no image with a digest', () => {
    expect(unverifiedImages(built()).map(({ image }) => image)).not.toContain(cluster.game.image);
  });

  it('gives the reason of versions.ts', () => {
    const unverified = { image: imageReference('connect-broker'), reason: images['connect-broker'].unverified };
    expect(unverifiedImages(built())).toContainEqual(unverified);
  });
});
