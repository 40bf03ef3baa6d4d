// Labelled input and select, with hint and error message.
import type { InputHTMLAttributes, SelectHTMLAttributes } from 'preact';
import { useId } from 'preact/hooks';

type Props = InputHTMLAttributes & {
  label: string;
  hint?: string;
  problem?: string;
};

export function Field({ label, hint, problem, ...input }: Props) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} aria-describedby={hint || problem ? `${id}-more` : undefined} aria-invalid={problem ? true : undefined} {...input} />
      {(hint || problem) && (
        <p id={`${id}-more`} class={problem ? 'problem' : 'hint'}>
          {problem || hint}
        </p>
      )}
    </div>
  );
}

type SelectProps = SelectHTMLAttributes & {
  label: string;
  /** Label of the empty option, if there is one. */
  none?: string;
  /** Value to label. */
  options: Record<string, string>;
};

export function Select({ label, none, options, ...select }: SelectProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} {...select}>
        {none !== undefined && <option value="">{none}</option>}
        {Object.entries(options).map(([option, text]) => (
          <option value={option} key={option}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Capitalizes a message and ends it with a full stop. */
export const sentence = (message: string) => message.charAt(0).toUpperCase() + message.slice(1).replace(/\.?$/, '.');
