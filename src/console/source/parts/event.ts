// Text of the details of an audit event.
import { texts } from '../texts';

/** For the end of a session: the end reason and the administrator's note. */
export function detailOf({ kind, detail }: { kind: string; detail: string | null }): string {
  if (!detail) return '';
  const [word = '', ...note] = detail.split(': ');
  if (kind !== 'SESSION_ENDED' || !(word in texts.reason)) return detail;
  return [texts.reason[word as keyof typeof texts.reason], note.join(': ')].filter(Boolean).join(': ');
}
