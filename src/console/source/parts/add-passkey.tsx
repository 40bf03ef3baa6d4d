// Form that adds a passkey: the browser creates it for the options of the service.
import type { ComponentChildren } from 'preact';

import type { Problem } from '../api/transport';
import { ActionForm } from './action-form';
import { Field } from './field';
import { createPasskey, signalUnknown } from './passkey';
import type { WebAuthnJson } from './passkey';

export interface AddPasskeyTexts {
  how: string;
  name: string;
  nameHint: string;
  submit: string;
  busy: string;
}

interface Begun {
  challengeToken: string | null;
  options: WebAuthnJson | null;
  errors: Problem[];
}

interface Created {
  challengeToken: string | null;
  credential: WebAuthnJson;
  /** Undefined for the name that the service gives. */
  name?: string;
}

interface Props<Added extends { errors: Problem[] }> {
  texts: AddPasskeyTexts;
  begin: () => Promise<Begun>;
  register: (created: Created) => Promise<Added>;
  onAdded: (added: Added) => void;
  /** Message for an expected failure. */
  told: (problem: Problem) => string | undefined;
  failed: (error: Error) => string;
  /** Further buttons, before the button of the form. */
  beside?: ComponentChildren;
}

export function AddPasskey<Added extends { errors: Problem[] }>({ texts, begin, register, onAdded, told, failed, beside }: Props<Added>) {
  const act = async (typed: FormData) => {
    const { challengeToken, options, errors } = await begin();
    if (errors[0]) return told(errors[0]);
    const credential = await createPasskey(options!);
    const added = await register({ challengeToken, credential, name: String(typed.get('name')).trim() || undefined });
    const [first] = added.errors;
    if (!first) return void onAdded(added);
    // The browser has kept it, and must not offer what the service refused.
    void signalUnknown((options!.rp as { id: string }).id, credential.id as string);
    return told(first);
  };
  return (
    <ActionForm submit={texts.submit} busy={texts.busy} act={act} failed={failed} beside={beside}>
      <p>{texts.how}</p>
      <Field label={texts.name} hint={texts.nameHint} name="name" autocomplete="off" maxLength={100} />
    </ActionForm>
  );
}
