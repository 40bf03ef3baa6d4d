// Filter form above a list. The applied filters are in the address; the values not yet applied are in
// the form only.
import type { TargetedEvent } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { texts } from '../texts';
import type { Shown, View } from './address-state';
import { Field, Select } from './field';
import { fromInput, toInput } from './time';

export interface Filter {
  name: string;
  label: string;
  hint?: string;
  /** Options of a select: value to label. */
  options?: Record<string, string>;
  /** Whether the value is a date with time. */
  isTime?: boolean;
  /** Whether the filter is under "More filters". */
  isSeldom?: boolean;
}

export function Filters({ filters, view, show }: { filters: Filter[]; view: View; show: Shown['show'] }) {
  const apply = (form: HTMLFormElement) => {
    const typed = new FormData(form);
    const value = ({ name, isTime }: Filter) => {
      const text = String(typed.get(name) ?? '').trim();
      return [name, isTime ? fromInput(text) : text] as const;
    };
    show(Object.fromEntries(filters.map(value)));
  };
  const isApplied = filters.some(({ name }) => view[name]);
  const isSeldomApplied = filters.some(({ name, isSeldom }) => isSeldom && view[name]);
  const [isOpen, setOpen] = useState(isSeldomApplied);
  const input = (filter: Filter) => <Input filter={filter} value={view[filter.name]} apply={apply} key={filter.name} />;
  const seldom = filters.filter(({ isSeldom }) => isSeldom);
  return (
    <form
      class="filters"
      aria-label={texts.filters.title}
      onSubmit={event => {
        event.preventDefault();
        apply(event.currentTarget);
      }}
    >
      {filters.filter(({ isSeldom }) => !isSeldom).map(input)}
      <div class="actions">
        <button type="submit">{texts.filters.apply}</button>
        {isApplied && (
          <button type="button" class="plain" onClick={() => show(Object.fromEntries(filters.map(({ name }) => [name, undefined])))}>
            {texts.filters.clear}
          </button>
        )}
      </div>
      {seldom.length > 0 && (
        <details open={isOpen} onToggle={event => setOpen(event.currentTarget.open)}>
          <summary>{texts.filters.more}</summary>
          <div class="filters">{seldom.map(input)}</div>
        </details>
      )}
    </form>
  );
}

function Input({ filter, value = '', apply }: { filter: Filter; value: string | undefined; apply: (form: HTMLFormElement) => void }) {
  const { name, label, hint, options, isTime } = filter;
  const applied = isTime ? toInput(value) : value;
  const [typed, setTyped] = useState(applied);
  useEffect(() => setTyped(applied), [applied]);
  if (!options) {
    const input = { label, name, placeholder: hint, autocomplete: 'off', value: typed, onInput: (event: TypedInput) => setTyped(event.currentTarget.value) };
    return isTime ? <Field {...input} type="datetime-local" step={1} /> : <Field {...input} type="search" spellcheck={false} />;
  }
  return <Select label={label} none={texts.filters.any} options={options} name={name} value={value} onChange={event => apply(event.currentTarget.form!)} />;
}

type TypedInput = TargetedEvent<HTMLInputElement>;
