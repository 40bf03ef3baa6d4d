// Passkeys of the user's own account: added, renamed and removed.
import { useEffect, useRef, useState } from 'preact/hooks';

import { BeginPasskeyRegistrationDocument, RegisterPasskeyDocument, RemovePasskeyDocument, RenamePasskeyDocument } from '../api/generated';
import type { AcceptedCredentialsFragment, PasskeyRowFragment } from '../api/generated';
import { signal } from '../api/passkeys';
import { ask } from '../api/session';
import { texts } from '../texts';
import { AddPasskey } from './add-passkey';
import { Confirm, Dialog } from './dialog';
import { told, undone } from './failure';
import { Field } from './field';
import { List } from './list';
import type { Column } from './list';
import { say } from './notice';
import { hasPasskeys } from './passkey';
import { reload } from './query';
import { Time } from './time';

type Doing = { what: 'add' } | { what: 'rename' | 'remove'; passkey: PasskeyRowFragment };

const { passkeys: words } = texts;

interface Props {
  factors: AcceptedCredentialsFragment & { passkeys: PasskeyRowFragment[] };
  /** Called with the recovery codes of the first factor. */
  onCodes: (codes: string[]) => void;
}

export function MyPasskeys({ factors, onCodes }: Props) {
  const { passkeys } = factors;
  const [doing, setDoing] = useState<Doing>();
  useSignal(factors);
  const onClose = () => setDoing(undefined);
  const columns: Column<PasskeyRowFragment>[] = [
    { name: words.name, cell: row => row.name },
    { name: words.kind, cell: row => (row.isSynced ? words.synced : words.oneDevice) },
    { name: words.created, cell: row => <Time at={row.createdAt} /> },
    { name: words.lastUsed, cell: row => (row.lastUsedAt ? <Time at={row.lastUsedAt} /> : words.never) },
    {
      name: words.actions,
      cell: row => (
        <span class="actions">
          <button type="button" class="plain" aria-label={`${words.rename}: ${row.name}`} onClick={() => setDoing({ what: 'rename', passkey: row })}>
            {words.rename}
          </button>
          <button type="button" class="plain" aria-label={`${words.remove}: ${row.name}`} onClick={() => setDoing({ what: 'remove', passkey: row })}>
            {words.remove}
          </button>
        </span>
      ),
    },
  ];
  return (
    <section aria-labelledby="passkeys" class="band">
      <header class="section-head">
        <h2 id="passkeys">{words.title}</h2>
        {hasPasskeys && (
          <button type="button" onClick={() => setDoing({ what: 'add' })}>
            {words.addTitle}
          </button>
        )}
      </header>
      {!hasPasskeys && <p class="hint">{words.unsupported}</p>}
      {hasPasskeys && passkeys.length === 0 && <p class="hint">{words.why}</p>}
      {passkeys.length > 0 && <List caption={words.caption} asked={{ loading: false }} list={{ nodes: passkeys }} columns={columns} empty="" />}
      {doing?.what === 'add' && <Add onCodes={onCodes} onClose={onClose} />}
      {doing?.what === 'rename' && <Rename passkey={doing.passkey} onClose={onClose} />}
      {doing?.what === 'remove' && <Remove passkey={doing.passkey} onClose={onClose} />}
    </section>
  );
}

/** Tells the password manager of this browser which passkeys there are, also after the last one was removed. */
function useSignal(factors: AcceptedCredentialsFragment) {
  const known = useRef<Pick<AcceptedCredentialsFragment, 'passkeyRpId' | 'passkeyUserHandle'> | undefined>(undefined);
  const { passkeyRpId, passkeyUserHandle, passkeys } = factors;
  useEffect(() => {
    if (passkeyRpId) known.current = { passkeyRpId, passkeyUserHandle };
    if (known.current) signal({ ...known.current, passkeys });
  }, [passkeys.map(({ credentialId }) => credentialId).join()]);
}

interface DialogProps {
  onClose: () => void;
}

function Add({ onCodes, onClose }: DialogProps & Pick<Props, 'onCodes'>) {
  const cancel = (
    <button type="button" onClick={onClose}>
      {texts.cancel}
    </button>
  );
  return (
    <Dialog title={words.addTitle} onClose={onClose}>
      <AddPasskey
        texts={words.add}
        begin={async () => (await ask(BeginPasskeyRegistrationDocument, {})).beginPasskeyRegistration}
        register={async created => (await ask(RegisterPasskeyDocument, created)).registerPasskey}
        onAdded={({ recoveryCodes }) => {
          say(words.added);
          if (recoveryCodes) onCodes(recoveryCodes);
          reload();
          onClose();
        }}
        told={told}
        failed={undone}
        beside={cancel}
      />
    </Dialog>
  );
}

function Rename({ passkey, onClose }: DialogProps & { passkey: PasskeyRowFragment }) {
  const [name, setName] = useState(passkey.name);
  const rename = async () => (await ask(RenamePasskeyDocument, { passkeyId: passkey.id, name })).renamePasskey;
  return (
    <Confirm title={words.renameTitle} confirm={words.save} disabled={!name.trim()} act={rename} said={() => words.renamed} onClose={onClose}>
      <Field label={words.name} autocomplete="off" value={name} maxLength={100} onInput={event => setName(event.currentTarget.value)} />
    </Confirm>
  );
}

function Remove({ passkey: { id, name }, onClose }: DialogProps & { passkey: PasskeyRowFragment }) {
  const remove = async () => (await ask(RemovePasskeyDocument, { passkeyId: id })).removePasskey;
  return (
    <Confirm title={words.removeTitle} confirm={words.removeTitle} danger act={remove} said={() => words.removed(name)} onClose={onClose}>
      <p>{words.removeSure(name)}</p>
    </Confirm>
  );
}
