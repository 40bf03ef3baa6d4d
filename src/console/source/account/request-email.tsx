// Form that requests an e-mail with a code and a link.
import type { Problem } from '../api/transport';
import { ActionForm } from '../parts/action-form';
import { Card } from '../parts/card';
import { Field } from '../parts/field';
import type { ChallengeFragment } from './generated';
import { failed, told } from './problem';
import { texts } from './texts';

interface Props {
  title: string;
  text: string;
  /** Why the form is shown, e.g. after a link that has expired. */
  note?: string;
  username: string;
  request: (username: string) => Promise<{ challenge: ChallengeFragment | null; errors: Problem[] }>;
  onSent: (challenge: ChallengeFragment, username: string) => void;
}

export function RequestEmail({ title, text, note, username, request, onSent }: Props) {
  const act = async (typed: FormData) => {
    const name = String(typed.get('username')).trim();
    if (!name) return texts.request.missing;
    const { challenge, errors } = await request(name);
    const [first] = errors;
    if (challenge) return void onSent(challenge, name);
    return first ? told(first) : texts.otherProblem;
  };
  return (
    <Card title={title}>
      <p class="reason" role="status">
        {note}
      </p>
      <p>{text}</p>
      <ActionForm submit={texts.request.submit} busy={texts.request.busy} act={act} failed={failed}>
        <Field label={texts.request.username} name="username" autocomplete="username" autocapitalize="none" spellcheck={false} defaultValue={username} />
      </ActionForm>
    </Card>
  );
}
