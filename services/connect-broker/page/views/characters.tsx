/**
 * One's characters: the list, a new one, the end of one.
 * It deliberately shows nothing of what the game stores of them.
 */
import { useEffect, useState } from 'preact/hooks';
import type { RealmsDocument } from '../../src/realms/document.ts';
import { api, type Character } from '../api.ts';
import { Action, Choice, Dialog, dateText, Field, Form, failureText, Heading, Notice, type Tone, useAction } from '../parts.tsx';
import { texts } from '../texts.ts';

export function CharactersView({
  realms,
  tell,
}: {
  readonly realms: RealmsDocument | undefined;
  readonly tell: (text: string, tone?: Tone) => void;
}) {
  const [list, setList] = useState<{ readonly characters: readonly Character[]; readonly most: number }>();
  const [leaving, setLeaving] = useState<Character>();
  const [made, setMade] = useState(0);
  const load = useAction(async () => setList(await api.characters()));
  useEffect(() => void load.run(), []);
  const end = useAction(async ({ id, name }: Character) => {
    await api.deleteCharacter(id);
    setLeaving(undefined);
    tell(texts.characters.deleted(name));
    setList(await api.characters());
  });
  const homes = realms?.realms.flatMap((realm) =>
    realm.continents.map((continent) => [`${realm.name}/${continent.name}`, `${continent.title}, ${realm.title}`] as const),
  );
  const homeText = ({ realm, continent }: Character) => {
    const entry = realms?.realms.find(({ name }) => name === realm);
    return texts.characters.home(entry?.continents.find(({ name }) => name === continent)?.title ?? continent, entry?.title ?? realm);
  };
  return (
    <>
      <div>
        <Heading>{texts.characters.title}</Heading>
        {list && <p class="lead">{texts.characters.lead(list.characters.length, list.most)}</p>}
      </div>
      {load.failure !== undefined && <Notice tone="bad">{failureText(load.failure)}</Notice>}
      <div class="columns">
        {list && (
          <section class="card" aria-label={texts.characters.title}>
            {list.characters.length === 0 && <p class="lead">{texts.characters.none}</p>}
            <ul class="list">
              {list.characters.map((character) => (
                <li key={character.id}>
                  <div>
                    <h2>
                      {character.name} {character.playing && <span class="badge online">{texts.characters.playing}</span>}
                    </h2>
                    <p class="soft">
                      {homeText(character)} ·{' '}
                      {character.savedAt ? texts.characters.saved(dateText(character.savedAt)) : texts.characters.never}
                    </p>
                  </div>
                  <Action class="danger" aria-label={texts.characters.deleteNamed(character.name)} onClick={() => setLeaving(character)}>
                    {texts.characters.delete}
                  </Action>
                </li>
              ))}
            </ul>
          </section>
        )}
        {list && homes && (
          <section class="card" aria-labelledby="create">
            <h2 id="create">{texts.characters.createTitle}</h2>
            {list.characters.length >= list.most ? (
              <p class="lead">{texts.characters.full}</p>
            ) : (
              <Form
                key={made}
                submit={texts.characters.submit}
                onSubmit={async ({ name = '', home = '' }) => {
                  const [realm = '', continent = ''] = home.split('/');
                  const character = await api.makeCharacter(name, realm, continent);
                  setList(await api.characters());
                  setMade((count) => count + 1);
                  tell(texts.characters.created(character.name));
                }}
              >
                {(mistake) => (
                  <>
                    <Field
                      label={texts.characters.name}
                      hint={texts.characters.nameHint}
                      name="name"
                      autocomplete="off"
                      required
                      mistake={mistake('name')}
                    />
                    <Choice label={texts.characters.homeField} name="home" options={homes} />
                  </>
                )}
              </Form>
            )}
          </section>
        )}
      </div>
      {leaving && (
        <Dialog title={texts.characters.deleteTitle(leaving.name)} onClose={() => setLeaving(undefined)}>
          <p>{texts.characters.deleteText}</p>
          {end.failure !== undefined && <Notice tone="bad">{failureText(end.failure)}</Notice>}
          <div class="row">
            <Action autoFocus onClick={() => setLeaving(undefined)}>
              {texts.cancel}
            </Action>
            <Action class="danger" busy={end.busy} onClick={() => void end.run(leaving)}>
              {texts.characters.deleteConfirm}
            </Action>
          </div>
        </Dialog>
      )}
    </>
  );
}
