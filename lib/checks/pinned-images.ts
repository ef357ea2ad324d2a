/**
 * Every image of ours is one that versions.ts or the description names, pinned by its digest unless the entry says why there is none.
 * It deliberately cannot ask a registry whether the digest is that of the tag; Renovate does. Images of upstream charts are pinned by the chart's version.
 */

import { type ImageVersion, imageReference, images } from '../../versions';
import type { BuiltCluster, BuiltObject } from '../build';
import type { Cluster } from '../model/cluster';
import { containersOf, operatorTemplates } from './pods';
import { Report } from './report';
import { type Check, CheckInput } from './types';

const DIGEST = /@sha256:[0-9a-f]{64}$/;

export const pinnedImages: Check = {
  id: 'pinned-images',
  why: 'A tag is a name that its owner can give to another program tomorrow: a pod that restarts would run what nobody reviewed.',
  run: (input) => {
    const report = new Report(input, pinnedImages);
    const known = knownImages(input.built.cluster);
    const repositories = new Map([...known].map(([reference, { place }]) => [repositoryOf(reference), { reference, place }]));
    for (const { object, image, field } of imagesOf(input)) {
      const entry = known.get(image);
      const tag = tagOf(image);
      if (image === '') {
        report.say(
          object,
          field,
          'It names no image, and so something else chooses one.',
          'Name the image of versions.ts with imageReference().',
        );
      } else if (tag === undefined || tag === 'latest') {
        report.say(
          object,
          field,
          tag === undefined ? `The image '${image}' has no tag, which means 'latest'.` : `The image '${image}' has the tag 'latest'.`,
          'Name the version, and its digest.',
        );
      } else if (entry === undefined) {
        const same = repositories.get(repositoryOf(image));
        report.say(
          object,
          field,
          same
            ? `The image '${image}' is not the pinned '${same.reference}' of ${same.place}.`
            : `The image '${image}' is neither in versions.ts nor in the description.`,
          'Add it to versions.ts and take it from there with imageReference(), so that Renovate updates it.',
        );
      } else if (!DIGEST.test(image) && entry.unverified === undefined) {
        report.say(
          object,
          field,
          `The image '${image}' has no digest, and ${entry.place} does not say why.`,
          entry.place === 'versions.ts'
            ? "Add its digest in versions.ts, or 'unverified' with the reason."
            : "Append '@sha256:…' to game.image in the description, or say why not in game.imageUnverified.",
        );
      }
    }
    return report.violations;
  },
};

/** An image that runs without a digest, and why. */
export interface UnverifiedImage {
  readonly image: string;
  readonly reason: string;
}

/** Images of the cluster without a digest, each once, by name: the synth lists them at every run. */
export function unverifiedImages(built: BuiltCluster): UnverifiedImage[] {
  const known = knownImages(built.cluster);
  const found = new Map<string, string>();
  for (const { image } of imagesOf(new CheckInput(built))) {
    if (!DIGEST.test(image)) found.set(image, known.get(image)?.unverified ?? 'no reason is given');
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([image, reason]) => ({ image, reason }));
}

interface KnownImage {
  readonly place: string;
  readonly unverified?: string;
}

function knownImages(cluster: Cluster): Map<string, KnownImage> {
  const known = new Map<string, KnownImage>();
  for (const name of Object.keys(images) as (keyof typeof images)[]) {
    const { unverified }: ImageVersion = images[name];
    known.set(imageReference(name), { place: 'versions.ts', unverified });
  }
  known.set(cluster.game.image, { place: 'the description', unverified: cluster.game.imageUnverified });
  return known;
}

function* imagesOf(input: CheckInput): Generator<{ object: BuiltObject; image: string; field: string }> {
  for (const template of input.podTemplates) {
    for (const { path, spec } of containersOf(template))
      yield { object: template.object, image: String(spec.image ?? ''), field: `${path}.image` };
  }
  // K8up fills in its own where there is none.
  for (const template of operatorTemplates(input)) {
    for (const { path, spec } of containersOf(template))
      if (spec.image) yield { object: template.object, image: spec.image, field: `${path}.image` };
  }
  for (const object of input.ofKind('Cluster')) {
    const image = object.manifest.spec?.imageName;
    if (typeof image === 'string') yield { object, image, field: 'spec.imageName' };
    else if (object.manifest.apiVersion.startsWith('postgresql.cnpg.io/') && object.manifest.spec?.imageCatalogRef === undefined) {
      // Without it the operator takes its own newest: an update of the operator would be one of the database.
      yield { object, image: '', field: 'spec.imageName' };
    }
  }
}

function withoutDigest(image: string): string {
  return image.replace(/@.*$/, '');
}

/** Undefined when there is none; a colon before the last slash is a port's. */
function tagOf(image: string): string | undefined {
  return /:([^:/]+)$/.exec(withoutDigest(image))?.[1];
}

function repositoryOf(image: string): string {
  return withoutDigest(image).replace(/:[^:/]+$/, '');
}
