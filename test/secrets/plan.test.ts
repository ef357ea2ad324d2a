/** What is missing, and where a new value has to be sealed so that all copies of it stay equal. */
import { missingPlaces, neededValues, placeName, planMissing, planNetcode, planOne, planRotation, type Step } from '../../lib/secrets/plan';
import { SecretsError } from '../../lib/secrets/sealing';
import type { SecretSpec } from '../../lib/secrets/spec';
import { memoryStore } from '../../lib/secrets/store';
import { brokerKeys, databaseCopy, databaseOwner, dnsToken, everySecret, realmKey } from './fixtures';

const summary = (steps: readonly Step[]) =>
  steps.map(({ value, seal, replaces }) => ({ value: value.identity, seal: seal.map(placeName), replaces: replaces.map(placeName) }));

describe('missing values', () => {
  test('are all when nothing is sealed', () => {
    expect(missingPlaces(everySecret, memoryStore([]))).toHaveLength(9);
  });

  test('are none when everything is sealed', () => {
    expect(missingPlaces(everySecret, memoryStore(everySecret))).toEqual([]);
  });

  test('are single keys of a Secret whose other keys are sealed', () => {
    const store = memoryStore([{ ...databaseOwner, keys: { username: databaseOwner.keys.username } } as SecretSpec]);
    expect(missingPlaces([databaseOwner], store).map(placeName)).toEqual(['database/broker-owner/password']);
  });
});

describe('the plan for what is missing', () => {
  test('seals a value that two Secrets need for both', () => {
    expect(summary(planMissing([brokerKeys, realmKey], memoryStore([]), { only: (value) => value.identity.includes('realm') }))).toEqual([
      {
        value: 'netcode/realm/aurora/1',
        seal: ['connect-broker/netcode-keys/realm.aurora.1', 'realm-aurora/netcode-key/generation-1'],
        replaces: [],
      },
    ]);
  });

  test('replaces the copy that is sealed when the other is missing, because without the private key nobody can read it back', () => {
    expect(
      summary(planMissing([databaseOwner, databaseCopy], memoryStore([databaseOwner]), { only: (value) => 'generate' in value.source })),
    ).toEqual([
      {
        value: 'database/broker/password',
        seal: ['connect-broker/database/password', 'database/broker-owner/password'],
        replaces: ['database/broker-owner/password'],
      },
    ]);
  });

  test('replaces nothing of a generated value that the private key opened', () => {
    const known = new Map([['database/broker/password', Buffer.from('opened')]]);
    expect(
      summary(
        planMissing([databaseOwner, databaseCopy], memoryStore([databaseOwner]), { only: ({ source }) => 'generate' in source, known }),
      ),
    ).toEqual([{ value: 'database/broker/password', seal: ['connect-broker/database/password'], replaces: [] }]);
  });

  test('replaces nothing of a fixed value, because it is known', () => {
    expect(
      summary(planMissing([databaseOwner, databaseCopy], memoryStore([databaseOwner]), { only: (value) => 'literal' in value.source })),
    ).toEqual([{ value: 'database/broker/username', seal: ['connect-broker/database/username'], replaces: [] }]);
  });

  test('replaces nothing of an asked value, because a person has it', () => {
    const copy: SecretSpec = { ...dnsToken, namespace: 'elsewhere' };
    expect(summary(planMissing([dnsToken, copy], memoryStore([dnsToken])))).toEqual([
      { value: 'cloudflare/api-token', seal: ['elsewhere/cloudflare/api-token'], replaces: [] },
    ]);
  });

  test('is empty when nothing is missing', () => {
    expect(planMissing(everySecret, memoryStore(everySecret))).toEqual([]);
  });

  test('does not depend on the order of the components', () => {
    expect(planMissing([...everySecret].reverse(), memoryStore([]))).toEqual(planMissing(everySecret, memoryStore([])));
  });
});

describe('the plan for a netcode key', () => {
  test("has the realm's place and the broker's, and no other value", () => {
    expect(summary(planNetcode(everySecret, memoryStore([]), 'aurora'))).toEqual([
      {
        value: 'netcode/realm/aurora/1',
        seal: ['connect-broker/netcode-keys/realm.aurora.1', 'realm-aurora/netcode-key/generation-1'],
        replaces: [],
      },
    ]);
  });

  test('is empty when the key is sealed', () => {
    expect(planNetcode(everySecret, memoryStore([brokerKeys, realmKey]), 'aurora')).toEqual([]);
  });

  test('of a name that is not there names those that are', () => {
    expect(() => planNetcode(everySecret, memoryStore([]), 'auora')).toThrow(
      "There is no realm or content type 'auora' here; those with netcode keys are dungeon, aurora.",
    );
  });

  test('of a name that a realm and a content type share has to say which', () => {
    const arena: SecretSpec = {
      ...realmKey,
      name: 'both',
      keys: {
        a: { value: 'netcode/realm/arena/1', source: { generate: 'random-32-bytes' } },
        b: { value: 'netcode/instance/arena/1', source: { generate: 'random-32-bytes' } },
      },
    };
    expect(() => planNetcode([arena], memoryStore([]), 'arena')).toThrow("say 'realm/arena' or 'instance/arena'");
    expect(summary(planNetcode([arena], memoryStore([]), 'realm/arena')).map((step) => step.value)).toEqual(['netcode/realm/arena/1']);
  });
});

describe('the plan for one value', () => {
  test('has all places that share it', () => {
    expect(summary([planOne(everySecret, memoryStore([]), 'realm-aurora/netcode-key/generation-1')])[0]?.seal).toEqual([
      'connect-broker/netcode-keys/realm.aurora.1',
      'realm-aurora/netcode-key/generation-1',
    ]);
  });

  test('may leave the key out when the Secret has one', () => {
    expect(planOne(everySecret, memoryStore([]), 'cert-manager/cloudflare').value.identity).toBe('cloudflare/api-token');
  });

  test.each([
    [
      'a Secret of several keys',
      'connect-broker/netcode-keys',
      'has 2 keys; say which one: connect-broker/netcode-keys/instance.dungeon.1, connect-broker/netcode-keys/realm.aurora.1',
    ],
    ['a fixed value', 'database/broker-owner/username', "is fixed as 'broker' by its component; 'npm run seal -- --missing' seals it"],
    ['a Secret that a slip of the fingers named', 'cert-manager/cloudflair', /did you mean 'cert-manager\/cloudflare'\?$/],
    ['a key that is not needed', 'cert-manager/cloudflare/token', /that Secret needs cert-manager\/cloudflare\/api-token\.$/],
  ])('refuses %s', (_, target, sentence) => {
    expect(() => planOne(everySecret, memoryStore([]), target)).toThrow(sentence);
  });

  test('does not repeat what is no name, because it may be a value', () => {
    const act = () => planOne(everySecret, memoryStore([]), 'hunter2');
    expect(act).toThrow('What to seal is given as NAMESPACE/NAME/KEY');
    expect(act).not.toThrow('hunter2');
  });
});

test('components that contradict each other about a value are named together', () => {
  const other: SecretSpec = {
    ...realmKey,
    namespace: 'elsewhere',
    keys: { key: { value: 'netcode/realm/aurora/1', source: { generate: 'password' } } },
  };
  expect(() => neededValues([realmKey, other])).toThrow(
    "The value 'netcode/realm/aurora/1' is a generated password in elsewhere/netcode-key/key, but generated as 32 random bytes in realm-aurora/netcode-key/generation-1",
  );
});

test('components may ask for the same value in different words; the first place is asked for', () => {
  const asking = (namespace: string, ask: string): SecretSpec => ({
    ...realmKey,
    namespace,
    keys: { key: { value: 'store/key', source: { ask } } },
  });
  expect(neededValues([asking('b', 'the key of the store'), asking('a', 'key id')]).map(({ source }) => source)).toEqual([
    { ask: 'key id' },
  ]);
});

describe('the plan for a rotation', () => {
  test('takes an identity and replaces the value in all of its places', () => {
    const store = memoryStore(everySecret);
    expect(summary([planRotation(everySecret, store, 'database/broker/password')])).toEqual([
      {
        value: 'database/broker/password',
        seal: ['connect-broker/database/password', 'database/broker-owner/password'],
        replaces: ['connect-broker/database/password', 'database/broker-owner/password'],
      },
    ]);
  });

  test('takes a place as well', () => {
    expect(planRotation(everySecret, memoryStore(everySecret), 'cert-manager/cloudflare').value.identity).toBe('cloudflare/api-token');
  });

  test.each([
    ['a netcode key', 'netcode/realm/aurora/1', '--netcode aurora --next-generation'],
    ['a place of a netcode key', 'realm-aurora/netcode-key', '--netcode aurora --next-generation'],
    ['a fixed value', 'database/broker/username', "is fixed as 'broker' by its component"],
  ])('refuses %s and says what to do instead', (_, name, sentence) => {
    expect(() => planRotation(everySecret, memoryStore(everySecret), name)).toThrow(sentence);
  });

  test.each([
    ['an identity', 'databse/broker/pasword', 'database/broker/password'],
    ['a Secret', 'cert-manager/cloudflar', 'cert-manager/cloudflare'],
    ['the identity of a netcode key', 'netcode/realm/arora/1', 'netcode/realm/aurora/1'],
  ])('says which name was meant by a misspelt one of %s', (_, name, meant) => {
    expect(() => planRotation(everySecret, memoryStore(everySecret), name)).toThrow(`did you mean '${meant}'?`);
  });

  test('names everything that can be rotated when no name is near, and does not repeat what may be a value by mistake', () => {
    expect(() => planRotation(everySecret, memoryStore(everySecret), 'hunter2')).toThrow(
      new SecretsError([
        "What to rotate is none of this cluster's values. These can be rotated:",
        '  cloudflare/api-token',
        '  database/broker/password',
      ]),
    );
  });

  test('names the keys of a Secret when the key alone is misspelt', () => {
    expect(() => planRotation(everySecret, memoryStore(everySecret), 'cert-manager/cloudflare/token')).toThrow(
      'that Secret needs cert-manager/cloudflare/api-token',
    );
  });
});
