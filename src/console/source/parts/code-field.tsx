// Input of a code from an e-mail or of an authenticator app.
import { Field } from './field';

interface Props {
  label: string;
  hint?: string;
  autofocus?: boolean;
}

export function CodeField({ label, hint, autofocus }: Props) {
  return (
    <Field
      label={label}
      hint={hint}
      name="code"
      class="code"
      inputMode="numeric"
      autocomplete="one-time-code"
      autocapitalize="none"
      spellcheck={false}
      maxLength={20}
      autofocus={autofocus}
    />
  );
}

/** The digits of the code. A code that was copied may have spaces. */
export const codeIn = (typed: FormData) => String(typed.get('code') ?? '').replace(/\D/g, '');
