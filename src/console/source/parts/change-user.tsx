// Dialogs for administrators that create, correct, unlock and delete accounts, and reset their second factors. The
// number of sessions that a change ends is shown before the confirmation.
import { useState } from 'preact/hooks';

import {
  CreateUserDocument,
  DeleteUserDocument,
  LiveSessionsDocument,
  ResetUserFactorsDocument,
  SetUserActiveDocument,
  SetUserPasswordDocument,
  UnlockUserDocument,
  UpdateUserDocument,
} from '../api/generated';
import type { Role, UserRowFragment } from '../api/generated';
import { ask } from '../api/session';
import { texts } from '../texts';
import { Confirm } from './dialog';
import { Failure } from './failure';
import { Field, Select } from './field';
import { Facts } from './name-value-list';
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

const { UNKNOWN: _, ...roles } = texts.role;

/** Sends the changed fields only. */
export function Correct({ user, onClose }: OfUser) {
  const { users } = texts;
  const [username, setUsername] = useState(user.username);
  const [email, setEmail] = useState(user.email ?? '');
  const [isVerified, setVerified] = useState(user.emailVerifiedAt !== null);
  const [role, setRole] = useState<string>(user.role);
  const name = username.trim();
  const address = email.trim();
  const isOtherAddress = address !== (user.email ?? '');
  const wasVerified = !isOtherAddress && user.emailVerifiedAt !== null;
  const changes = {
    username: name === user.username ? undefined : name,
    email: isOtherAddress ? address : undefined,
    emailVerified: isVerified === wasVerified ? undefined : isVerified,
    role: role === user.role ? undefined : (role as Role),
  };
  const isChanged = Object.values(changes).some(value => value !== undefined);
  const correct = async () => (await ask(UpdateUserDocument, { userId: user.id, ...changes })).updateUser;
  const said = ({ endedCount }: { endedCount: number }) => users.corrected(name, endedCount);
  const typeEmail = (typed: string) => {
    setEmail(typed);
    // The service takes another address as not verified, too.
    setVerified(false);
  };
  return (
    <Confirm title={users.correctOf(user.username)} confirm={users.save} disabled={!isChanged || !name || (isOtherAddress && !address)} act={correct} said={said} onClose={onClose}>
      <Field label={users.username} autocomplete="off" autocapitalize="none" spellcheck={false} required maxLength={150} value={username} onInput={event => setUsername(event.currentTarget.value)} />
      <Field label={users.email} type="email" autocomplete="off" value={email} onInput={event => typeEmail(event.currentTarget.value)} />
      <label class="choice">
        <input type="checkbox" checked={isVerified} onChange={event => setVerified(event.currentTarget.checked)} />
        {users.isVerified}
      </label>
      <Select label={users.role} options={user.role === 'UNKNOWN' ? texts.role : roles} value={role} onChange={event => setRole(event.currentTarget.value)} />
      {changes.role && <Ending userId={user.id} />}
      {(user.externalId || user.roles.length > 0) && <Facts facts={{ [users.externalId]: user.externalId, [users.roles]: user.roles.join(', ') }} />}
    </Confirm>
  );
}

export function Unlock({ user, onClose }: OfUser) {
  const { id, username } = user;
  const unlock = async () => (await ask(UnlockUserDocument, { userId: id })).unlockUser;
  return (
    <Confirm title={texts.users.unlockOf(username)} confirm={texts.users.unlock} act={unlock} said={() => texts.users.unlocked(username)} onClose={onClose}>
      <p>{texts.users.unlockSure(username)}</p>
    </Confirm>
  );
}

export function ResetFactors({ user, onClose }: OfUser) {
  const { id, username } = user;
  const [note, setNote] = useState('');
  const reset = async () => (await ask(ResetUserFactorsDocument, { userId: id, note: note.trim() || undefined })).resetUserFactors;
  const said = ({ endedCount }: { endedCount: number }) => texts.users.factorsReset(username, endedCount);
  return (
    <Confirm title={texts.users.resetFactorsOf(username)} confirm={texts.users.resetFactors} danger act={reset} said={said} onClose={onClose}>
      <p>{texts.users.resetFactorsSure}</p>
      <Ending userId={id} />
      <Field label={texts.users.resetFactorsNote} value={note} maxLength={500} onInput={event => setNote(event.currentTarget.value)} />
    </Confirm>
  );
}

export function Delete({ user, onClose }: OfUser) {
  const { id, username } = user;
  const [typed, setTyped] = useState('');
  const remove = async () => (await ask(DeleteUserDocument, { userId: id })).deleteUser;
  const said = ({ endedCount }: { endedCount: number }) => texts.users.deleted(username, endedCount);
  return (
    <Confirm title={texts.users.deleteOf(username)} confirm={texts.users.delete} danger disabled={typed.trim() !== username} act={remove} said={said} onClose={onClose}>
      <p>{texts.users.deleteSure}</p>
      <Ending userId={id} />
      <Field label={texts.users.deleteName(username)} autocomplete="off" autocapitalize="none" spellcheck={false} value={typed} onInput={event => setTyped(event.currentTarget.value)} />
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
