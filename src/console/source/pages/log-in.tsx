// Login form, with the reason why the previous session ended.
import { useEffect, useState } from 'preact/hooks';

import { logIn } from '../api/session';
import type { OutReason } from '../api/session';
import type { Problem } from '../api/transport';
import { Unreachable } from '../api/transport';
import { undone } from '../parts/failure';
import { Field, sentence } from '../parts/field';
import { Mark } from '../parts/navigation-frame';
import { texts } from '../texts';

export function LogIn({ reason }: { reason?: OutReason }) {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    document.title = `${texts.logIn.title} · ${texts.product}`;
  }, []);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy) return;
    const form = event.currentTarget as HTMLFormElement;
    const typed = new FormData(form);
    const who = { username: String(typed.get('username')).trim(), password: String(typed.get('password')) };
    if (!who.username || !who.password) return setProblem(texts.logIn.missing);
    setBusy(true);
    setProblem('');
    try {
      const [first] = await logIn(who);
      if (first) setProblem(told(first));
    } catch (error) {
      setProblem(error instanceof Unreachable ? texts.logIn.unreachable : undone(error as Error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="log-in">
      <form onSubmit={submit} noValidate>
        <p class="brand">
          <Mark />
          {texts.product}
        </p>
        <h1>{texts.logIn.title}</h1>
        <p class="reason" role="status">
          {reason && texts.out[reason]}
        </p>
        <Field label={texts.logIn.username} name="username" autocomplete="username" autocapitalize="none" spellcheck={false} autofocus />
        <Field label={texts.logIn.password} name="password" type="password" autocomplete="current-password" />
        <p class="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {isBusy ? texts.logIn.busy : texts.logIn.submit}
        </button>
      </form>
    </main>
  );
}

const told = ({ message, retryAfterSeconds }: Problem) =>
  [sentence(message), retryAfterSeconds && texts.logIn.wait(retryAfterSeconds)].filter(Boolean).join(' ');
