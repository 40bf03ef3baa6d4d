// Form with one button, and the message of what is wrong.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

interface Props {
  submit: string;
  /** Label of the button while the action runs. */
  busy: string;
  /** Runs the action. Returns the message of what is wrong, if anything is. */
  act: (typed: FormData) => Promise<string | undefined>;
  /** Message for an action that threw an error. */
  failed: (error: Error) => string;
  /** Further buttons, before the button of the form. */
  beside?: ComponentChildren;
  children?: ComponentChildren;
}

export function ActionForm({ submit, busy, act, failed, beside, children }: Props) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const run = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setProblem('');
    try {
      setProblem((await act(new FormData(event.currentTarget as HTMLFormElement))) ?? '');
    } catch (error) {
      setProblem(failed(error as Error));
    } finally {
      setBusy(false);
    }
  };
  const button = (
    <button type="submit" class="primary" aria-disabled={isBusy}>
      {isBusy ? busy : submit}
    </button>
  );
  return (
    <form onSubmit={run} noValidate>
      {children}
      <p class="problem" role="alert">
        {problem}
      </p>
      {beside ? (
        <div class="actions">
          {beside}
          {button}
        </div>
      ) : (
        button
      )}
    </form>
  );
}
