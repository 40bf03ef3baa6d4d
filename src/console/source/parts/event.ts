// Text of the details of an audit event.
import { texts } from '../texts';

/** What else there is to say of it. The end of a session says why, and what the administrator wrote. */
export function detailOf({ kind, detail }: { kind: string; detail: string | null }): string {
  if (!detail) return '';
  const [word = '', ...note] = detail.split(': ');
  if (kind !== 'SESSION_ENDED' || !(word in texts.reason)) return detail;
  return [texts.reason[word as keyof typeof texts.reason], note.join(': ')].filter(Boolean).join(': ');
}
