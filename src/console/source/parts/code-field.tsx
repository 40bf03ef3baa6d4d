// Input of a code from an e-mail.
import { Field } from './field';

export function CodeField({ label, hint }: { label: string; hint?: string }) {
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
    />
  );
}

/** The digits of the code. A code that was copied may have spaces. */
export const codeIn = (typed: FormData) => String(typed.get('code') ?? '').replace(/\D/g, '');
