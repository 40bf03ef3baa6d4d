// Dialog for changing the user's own password.
import { useState } from 'preact/hooks';

import { ChangePasswordDocument } from '../api/generated';
import { ask, current } from '../api/session';
import { texts } from '../texts';
import { Confirm } from './dialog';
import { Field } from './field';

export function ChangePassword({ onClose }: { onClose: () => void }) {
  const [currentPassword, setCurrent] = useState('');
  const [newPassword, setNew] = useState('');
  const [endOtherSessions, setEndOthers] = useState(true);
  const change = async () => (await ask(ChangePasswordDocument, { currentPassword, newPassword, endOtherSessions })).changePassword;
  const said = ({ endedCount }: { endedCount: number }) => texts.account.passwordDone(endedCount);
  return (
    <Confirm title={texts.account.changePassword} confirm={texts.account.changePassword} disabled={!currentPassword || !newPassword} act={change} said={said} onClose={onClose}>
      {/* Password managers need the username. */}
      <input type="text" hidden autocomplete="username" value={current()?.user.username} readOnly />
      <Field label={texts.account.currentPassword} type="password" autocomplete="current-password" required value={currentPassword} onInput={event => setCurrent(event.currentTarget.value)} />
      <Field
        label={texts.account.newPassword}
        hint={texts.account.newPasswordHint}
        type="password"
        autocomplete="new-password"
        required
        value={newPassword}
        onInput={event => setNew(event.currentTarget.value)}
      />
      <label class="choice">
        <input type="checkbox" checked={endOtherSessions} onChange={event => setEndOthers(event.currentTarget.checked)} />
        {texts.account.endOtherSessions}
      </label>
    </Confirm>
  );
}
