// Dialogs for administrators that create and change accounts. The number of sessions that a change ends
// is shown before the confirmation.
import { useState } from 'preact/hooks';

import { CreateUserDocument, LiveSessionsDocument, SetUserActiveDocument, SetUserPasswordDocument } from '../api/generated';
import type { UserRowFragment } from '../api/generated';
import { ask } from '../api/session';
import { texts } from '../texts';
import { Confirm } from './dialog';
import { Failure } from './failure';
import { Field } from './field';
import { useQuery } from './query';

interface Props {
  onClose: () => void;
}

type OfUser = Props & { user: UserRowFragment };

export function CreateUser({ onClose }: Props) {
  const [username, setUsername] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [isAdmin, setAdmin] = useState(false);
  const name = username.trim();
  const create = async () =>
    (await ask(CreateUserDocument, { username: name, email: email.trim() || undefined, password, role: isAdmin ? 'ADMIN' : 'USER' })).createUser;
  return (
    <Confirm title={texts.users.create} confirm={texts.users.create} disabled={!name || !password} act={create} said={() => texts.users.created(name)} onClose={onClose}>
      <Field label={texts.users.username} autocomplete="off" autocapitalize="none" spellcheck={false} required maxLength={150} value={username} onInput={event => setUsername(event.currentTarget.value)} />
      <Field label={texts.users.email} hint={texts.users.emailHint} type="email" autocomplete="off" value={email} onInput={event => setEmail(event.currentTarget.value)} />
      <NewPassword label={texts.users.password} value={password} onInput={setPassword} />
      <label class="choice">
        <input type="checkbox" checked={isAdmin} onChange={event => setAdmin(event.currentTarget.checked)} />
        {texts.users.isAdmin}
      </label>
    </Confirm>
  );
}

export function SetActive({ user, onClose }: OfUser) {
  const { id, username, isActive } = user;
  const { users } = texts;
  const set = async () => (await ask(SetUserActiveDocument, { userId: id, active: !isActive })).setUserActive;
  const said = ({ endedCount }: { endedCount: number }) => (isActive ? users.deactivated(username, endedCount) : users.activated(username));
  return (
    <Confirm
      title={isActive ? users.deactivateOf(username) : users.activateOf(username)}
      confirm={isActive ? users.deactivate : users.activate}
      danger={isActive}
      act={set}
      said={said}
      onClose={onClose}
    >
      <p>{isActive ? users.deactivateSure(username) : users.activateSure(username)}</p>
      {isActive && <Ending userId={id} />}
    </Confirm>
  );
}

export function SetPassword({ user, onClose }: OfUser) {
  const { id, username } = user;
  const [newPassword, setNew] = useState('');
  const set = async () => (await ask(SetUserPasswordDocument, { userId: id, newPassword })).setUserPassword;
  const said = ({ endedCount }: { endedCount: number }) => texts.users.passwordSet(username, endedCount);
  return (
    <Confirm title={texts.users.setPasswordOf(username)} confirm={texts.users.setPassword} danger disabled={!newPassword} act={set} said={said} onClose={onClose}>
      <Ending userId={id} />
      {/* Password managers need the username. */}
      <input type="text" hidden autocomplete="username" value={username} readOnly />
      <NewPassword label={texts.account.newPassword} value={newPassword} onInput={setNew} />
    </Confirm>
  );
}

/** Number of sessions that the change ends. */
function Ending({ userId }: { userId: string }) {
  const { data, error } = useQuery(LiveSessionsDocument, { userId });
  if (error) return <Failure error={error} />;
  const live = data?.sessions?.totalCount;
  return <p role="status">{live === undefined ? texts.end.counting : texts.users.ends(live)}</p>;
}

function NewPassword({ label, value, onInput }: { label: string; value: string; onInput: (value: string) => void }) {
  return (
    <Field
      label={label}
      hint={texts.account.newPasswordHint}
      type="password"
      autocomplete="new-password"
      required
      value={value}
      onInput={event => onInput(event.currentTarget.value)}
    />
  );
}
