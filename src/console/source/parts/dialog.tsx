// Modal dialogs on the browser's `<dialog>`, which keeps the focus inside and closes on Escape. Closing
// returns the focus to the element that opened the dialog.
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';

import type { Problem } from '../api/transport';
import { texts } from '../texts';
import { told, undone } from './failure';
import { say } from './notice';
import { reload } from './query';

interface Props {
  title: string;
  /** Whether Escape leaves the dialog open. */
  isHeld?: boolean;
  onClose: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, isHeld, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before the next frame: keys that follow the click are meant for the dialog.
  useLayoutEffect(() => {
    const shown = dialog.current!;
    const opener = document.activeElement;
    shown.showModal();
    return () => {
      // The opener may have been removed while the dialog was open.
      shown.close();
      if (opener?.isConnected) (opener as HTMLElement).focus();
      else document.querySelector('h1')?.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose} onCancel={event => isHeld && event.preventDefault()}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

interface Payload {
  errors: Problem[];
}

interface ConfirmProps<Done extends Payload> extends Props {
  confirm: string;
  busy?: string;
  danger?: boolean;
  disabled?: boolean;
  /** Runs the mutation. */
  act: () => Promise<Done | null>;
  /** Text of the notice after success. */
  said: (done: Done) => string;
}

/** Dialog that confirms a mutation. It stays open if the mutation fails. */
export function Confirm<Done extends Payload>({ title, confirm, busy, danger, disabled, act, said, onClose, children }: ConfirmProps<Done>) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy || disabled) return;
    setBusy(true);
    setProblem('');
    try {
      const done = (await act())!;
      const [first] = done.errors;
      if (first) return setProblem(told(first));
      say(said(done));
      reload();
      onClose();
    } catch (error) {
      setProblem(undone(error as Error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {children}
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="actions">
          <button type="button" onClick={onClose}>
            {texts.cancel}
          </button>
          <button type="submit" class={danger ? 'danger' : 'primary'} aria-disabled={isBusy || disabled}>
            {isBusy && busy ? busy : confirm}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
