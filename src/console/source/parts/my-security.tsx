// Second factors of the user's own account, and the proofs that this session has shown.
import { useState } from 'preact/hooks';

import { BeginTotpDocument, ConfirmTotpDocument, MySecurityDocument, RemoveTotpDocument, RenewRecoveryCodesDocument } from '../api/generated';
import { Cancelled } from '../api/reauthentication';
import { ask, current } from '../api/session';
import { texts } from '../texts';
import { AddApp } from './add-app';
import { methodsOf } from './assurance';
import { Confirm, Dialog } from './dialog';
import { Failure, told, undone } from './failure';
import { MyDevices } from './my-devices';
import { MyPasskeys } from './my-passkeys';
import { Facts } from './name-value-list';
import { say } from './notice';
import { reload, useQuery } from './query';
import { RecoveryCodes } from './recovery-codes';
import { Time } from './time';

type Doing = 'add' | 'remove' | 'renew';

const { security: words } = texts;

/** Below that, new recovery codes are suggested. */
const FEW = 4;

export function MySecurity() {
  const sessionId = current()?.sessionId;
  const asked = useQuery(MySecurityDocument, sessionId ? { sessionId } : undefined);
  const [doing, setDoing] = useState<Doing>();
  const [codes, setCodes] = useState<string[]>();
  const factors = asked.data?.viewer?.secondFactors;
  const node = asked.data?.node;
  const session = node?.__typename === 'Session' ? node : undefined;
  const hasApp = Boolean(factors?.totpSince);
  const hasFactor = hasApp || (factors?.passkeys.length ?? 0) > 0;
  const onClose = () => setDoing(undefined);
  const button = (what: Doing, label: string, isDanger = false) => (
    <button type="button" class={isDanger ? 'danger' : undefined} onClick={() => setDoing(what)}>
      {label}
    </button>
  );
  return (
    <>
      <section aria-labelledby="security" class="band">
        <h2 id="security">{words.title}</h2>
        {asked.error && <Failure error={asked.error} />}
        {!asked.error && !factors && <p role="status">{texts.loading}</p>}
        {factors && (
          <>
            <Facts
              facts={{
                [hasApp ? words.appSince : words.app]: hasApp ? <Time at={factors.totpSince} /> : words.noApp,
                [words.recoveryCodes]: hasFactor ? <CodesLeft number={factors.recoveryCodesLeft} /> : undefined,
                [words.required]: factors.isRequired ? words.isRequired : words.isOptional,
                [words.session]: session && texts.assurance[session.assurance],
                [words.methods]: session && methodsOf(session),
              }}
            />
            {!hasFactor && <p class="hint">{words.why}</p>}
            {hasFactor && factors.recoveryCodesLeft < FEW && <p>{words.fewCodes}</p>}
            <p class="actions">
              {button('add', hasApp ? words.replace : words.add)}
              {hasFactor && button('renew', words.renew)}
              {hasApp && button('remove', words.remove, true)}
            </p>
          </>
        )}
        {doing === 'add' && <Add isReplaced={hasApp} onCodes={setCodes} onClose={onClose} />}
        {doing === 'remove' && <Remove onClose={onClose} />}
        {doing === 'renew' && <Renew onCodes={setCodes} onClose={onClose} />}
        {codes && <Codes codes={codes} onClose={() => setCodes(undefined)} />}
      </section>
      {factors && <MyPasskeys factors={factors} onCodes={setCodes} />}
      {factors && factors.trustedDevices.length > 0 && <MyDevices devices={factors.trustedDevices} />}
    </>
  );
}

function CodesLeft({ number }: { number: number }) {
  return <span class={number < FEW ? 'badge next' : undefined}>{words.codesLeft(number)}</span>;
}

interface Props {
  onClose: () => void;
}

type WithCodes = Props & { onCodes: (codes: string[]) => void };

function Add({ isReplaced, onCodes, onClose }: WithCodes & { isReplaced: boolean }) {
  const begin = async () => {
    try {
      const { beginTotp } = await ask(BeginTotpDocument, {});
      const [first] = beginTotp.errors;
      return first ? told(first) : beginTotp;
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error;
      say(undone(error));
      onClose();
    }
  };
  const confirm = async (challengeToken: string, code: string) => {
    const { recoveryCodes, errors } = (await ask(ConfirmTotpDocument, { challengeToken, code })).confirmTotp;
    const [first] = errors;
    if (first) return told(first);
    say(isReplaced ? words.replaced : words.added);
    if (recoveryCodes) onCodes(recoveryCodes);
    reload();
    onClose();
  };
  const cancel = (
    <button type="button" onClick={onClose}>
      {texts.cancel}
    </button>
  );
  return (
    <Dialog title={isReplaced ? words.replace : words.add} onClose={onClose}>
      {isReplaced && <p>{words.replaceHow}</p>}
      <AddApp texts={words.addApp} begin={begin} confirm={confirm} failed={undone} beside={cancel} />
    </Dialog>
  );
}

function Remove({ onClose }: Props) {
  const remove = async () => (await ask(RemoveTotpDocument, {})).removeTotp;
  return (
    <Confirm title={words.remove} confirm={words.remove} danger act={remove} said={() => words.removed} onClose={onClose}>
      <p>{words.removeSure}</p>
    </Confirm>
  );
}

function Renew({ onCodes, onClose }: WithCodes) {
  const renew = async () => {
    const { renewRecoveryCodes } = await ask(RenewRecoveryCodesDocument, {});
    if (renewRecoveryCodes?.recoveryCodes) onCodes(renewRecoveryCodes.recoveryCodes);
    return renewRecoveryCodes;
  };
  return (
    <Confirm title={words.renew} confirm={words.renewConfirm} act={renew} said={() => words.renewed} onClose={onClose}>
      <p>{words.renewHow}</p>
    </Confirm>
  );
}

function Codes({ codes, onClose }: Props & { codes: string[] }) {
  return (
    <Dialog title={words.codes.title} isHeld onClose={onClose}>
      <RecoveryCodes codes={codes} username={current()?.user.username ?? ''} texts={words.codes} onDone={onClose} />
    </Dialog>
  );
}
