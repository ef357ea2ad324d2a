/**
 * The mistakes of a description that no single field shows: each rule set is a pure function in a file of its own, and all of them always run.
 * It deliberately fixes nothing and derives nothing.
 */
import type { Mistake } from './cluster';
import { contentTypeMistakes } from './content-types';
import type { ParsedDescription } from './description';
import { networkMistakes } from './network';
import { realmMistakes } from './realms';

/** Every mistake, in the order of the description's fields. */
export function crossChecks(data: ParsedDescription): Mistake[] {
  return [
    ...emptyMistakes(data),
    ...gameMistakes(data),
    ...databaseMistakes(data),
    ...networkMistakes(data),
    ...realmMistakes(data),
    ...contentTypeMistakes(data),
    ...brokerMistakes(data),
    ...monitoringMistakes(data),
  ];
}

function emptyMistakes(data: ParsedDescription): Mistake[] {
  if (data.realms.length > 0 || data.instances.length > 0) return [];
  return [{ path: 'realms', message: `there is nothing to play: describe at least one realm, or at least one content type in instances.` }];
}

function brokerMistakes(data: ParsedDescription): Mistake[] {
  const mistakes: Mistake[] = [];
  const seen = new Set<string>();
  for (const { name, scopes } of data.broker.openId) {
    const at = `broker.openId[${name}]`;
    if (seen.has(name)) {
      mistakes.push({
        path: `${at}.name`,
        message: `two providers are called '${name}'; the client secret is sealed under the name, so give one of them another.`,
      });
    }
    seen.add(name);
    if (!scopes.includes('openid')) {
      mistakes.push({
        path: `${at}.scopes`,
        message: `they lack 'openid', without which an issuer does not say who somebody is; use ['openid', …].`,
      });
    }
  }
  return mistakes;
}

function monitoringMistakes({ monitoring: { notify } }: ParsedDescription): Mistake[] {
  const mistakes: Mistake[] = [];
  if (notify && !notify.discord && !notify.email) {
    mistakes.push({
      path: 'monitoring.notify.discord',
      message: `false, and there is no email: nobody would be told of anything. Describe email, leave discord to its default, or leave notify out.`,
    });
  }
  if (notify?.quietHours && notify.quietHours.from === notify.quietHours.to) {
    mistakes.push({
      path: 'monitoring.notify.quietHours.to',
      message: `'${notify.quietHours.to}' is when they begin, so that they have no length; write another time, or leave quietHours out.`,
    });
  }
  return mistakes;
}

function databaseMistakes(data: ParsedDescription): Mistake[] {
  const { generation, recoverTo } = data.database;
  const mistakes: Mistake[] = [];
  if (generation > 1 && data.backups === undefined) {
    mistakes.push({
      path: 'database.generation',
      message: `${generation} means that the database is recovered from the archive of generation ${generation - 1}, but the description has no backups; describe them, or leave the generation at 1.`,
    });
  }
  if (generation === 1 && recoverTo !== undefined) {
    mistakes.push({
      path: 'database.recoverTo',
      message: `generation 1 is made new and empty, so there is nothing to recover up to '${recoverTo}'; raise database.generation, or remove this field.`,
    });
  }
  return mistakes;
}

function gameMistakes(data: ParsedDescription): Mistake[] {
  const { image, imageUnverified } = data.game;
  const pinned = image.includes('@sha256:');
  if (/:latest(?:@|$)/.test(image)) {
    return [
      {
        path: 'game.image',
        message: `'${image}' has the tag 'latest', which says no version: a new build would change nothing here, so that no world would ever get it. Write the version, such as '${image.replace(/:latest(?=@|$)/, ':0.4.2')}'.`,
      },
    ];
  }
  if (!pinned && imageUnverified === undefined) {
    return [
      {
        path: 'game.image',
        message: `'${image}' has no digest, so the same tag may be another program tomorrow; add the '@sha256:…' that your build prints, or say in game.imageUnverified why there is none.`,
      },
    ];
  }
  if (pinned && imageUnverified !== undefined) {
    return [{ path: 'game.imageUnverified', message: `the image has a digest, so there is nothing to excuse; remove this field.` }];
  }
  return [];
}
