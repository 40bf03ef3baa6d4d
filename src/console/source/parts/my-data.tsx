// Settings and data of the user's own account: username, language of e-mails, export and deletion.
import { useState } from 'preact/hooks';

import { ChangeUsernameDocument, DeleteAccountDocument, ExportAccountDocument, UpdateAccountDocument } from '../api/generated';
import type { MyAccountQuery } from '../api/generated';
import { ask, current, ended, replaceUser } from '../api/session';
import { texts } from '../texts';
import { Confirm } from './dialog';
import { Field, Select } from './field';
import { saveFile } from './save-file';

type Viewer = NonNullable<MyAccountQuery['viewer']>;
type Doing = 'username' | 'locale' | 'export' | 'delete';

interface Props {
  viewer: Viewer;
  onClose: () => void;
}

const { myData: words } = texts;

export function MyData({ viewer }: { viewer: Viewer }) {
  const [doing, setDoing] = useState<Doing>();
  const onClose = () => setDoing(undefined);
  const button = (what: Doing, label: string, isDanger = false) => (
    <button type="button" class={isDanger ? 'danger' : undefined} onClick={() => setDoing(what)}>
      {label}
    </button>
  );
  return (
    <section aria-labelledby="data" class="band">
      <h2 id="data">{words.title}</h2>
      <p class="actions">
        {button('username', words.changeUsername)}
        {button('locale', words.changeLocale)}
        {button('export', words.export)}
        {button('delete', words.delete, true)}
      </p>
      {doing === 'username' && <ChangeUsername viewer={viewer} onClose={onClose} />}
      {doing === 'locale' && <ChangeLocale viewer={viewer} onClose={onClose} />}
      {doing === 'export' && <Export viewer={viewer} onClose={onClose} />}
      {doing === 'delete' && <Delete viewer={viewer} onClose={onClose} />}
    </section>
  );
}

function ChangeUsername({ viewer, onClose }: Props) {
  const [username, setUsername] = useState(viewer.username);
  const name = username.trim();
  const change = async () => {
    const { changeUsername } = await ask(ChangeUsernameDocument, { username: name });
    if (changeUsername?.user) replaceUser(changeUsername.user);
    return changeUsername;
  };
  return (
    <Confirm title={words.changeUsername} confirm={words.changeUsername} disabled={!name || name === viewer.username} act={change} said={() => words.usernameChanged(name)} onClose={onClose}>
      <p>{words.usernameHow}</p>
      <Field
        label={words.newUsername}
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        required
        maxLength={150}
        value={username}
        onInput={event => setUsername(event.currentTarget.value)}
      />
    </Confirm>
  );
}

function ChangeLocale({ viewer, onClose }: Props) {
  const [locale, setLocale] = useState(viewer.locale ?? '');
  // A program may have chosen a language that is not in the list.
  const options = viewer.locale === null || viewer.locale in texts.languages ? texts.languages : { ...texts.languages, [viewer.locale]: viewer.locale };
  const change = async () => (await ask(UpdateAccountDocument, { locale: locale || null })).updateAccount;
  return (
    <Confirm title={words.changeLocale} confirm={words.saveLocale} act={change} said={() => words.localeChanged} onClose={onClose}>
      <Select label={words.locale} none={words.anyLocale} options={options} value={locale} onChange={event => setLocale(event.currentTarget.value)} />
    </Confirm>
  );
}

function Export({ viewer, onClose }: Props) {
  const fetchAndSave = async () => {
    const { exportAccount } = await ask(ExportAccountDocument, {});
    if (exportAccount?.document) saveFile(JSON.stringify(exportAccount.document, null, 2), 'application/json', words.file(viewer.username));
    return exportAccount;
  };
  return (
    <Confirm title={words.export} confirm={words.download} busy={words.exporting} act={fetchAndSave} said={() => words.exported} onClose={onClose}>
      <p>{words.exportHow}</p>
    </Confirm>
  );
}

function Delete({ viewer, onClose }: Props) {
  const [typed, setTyped] = useState('');
  const remove = async () => {
    const session = current();
    const { deleteAccount } = await ask(DeleteAccountDocument, {});
    if (session && deleteAccount?.errors.length === 0) ended(session, 'ACCOUNT_DELETED');
    return deleteAccount;
  };
  return (
    <Confirm title={words.delete} confirm={words.delete} danger disabled={typed.trim() !== viewer.username} act={remove} said={() => texts.out.ACCOUNT_DELETED} onClose={onClose}>
      <p>{words.deleteSure}</p>
      <Field label={words.deleteName(viewer.username)} autocomplete="off" autocapitalize="none" spellcheck={false} value={typed} onInput={event => setTyped(event.currentTarget.value)} />
    </Confirm>
  );
}
