// Confirmation dialogs for ending sessions: one, the selected ones, or all that match a filter. The
// number of sessions is shown before the confirmation.
import { useState } from 'preact/hooks';

import { EndSessionDocument, EndSessionsDocument } from '../api/generated';
import type { SessionFilter } from '../api/generated';
import { ask } from '../api/session';
import { texts } from '../texts';
import { Confirm } from './dialog';
import { Failure } from './failure';
import { Field } from './field';
import { useQuery } from './query';

const look = { title: texts.end.title, busy: texts.end.busy, danger: true };

/** `sure` is the text above the buttons. */
export function EndOne({ id, sure, onClose }: { id: string; sure: string; onClose: () => void }) {
  const end = async () => (await ask(EndSessionDocument, { sessionId: id })).endSession;
  return (
    <Confirm {...look} title={texts.end.one} confirm={texts.end.confirm(1)} act={end} said={() => texts.sessions.ended(1)} onClose={onClose}>
      <p>{sure}</p>
    </Confirm>
  );
}

interface Props {
  /** Called after the sessions have ended. */
  done: () => void;
  onClose: () => void;
}

export function EndSelected({ ids, done, onClose }: Props & { ids: string[] }) {
  const end = async () => {
    for (const sessionId of ids) {
      const { endSession } = await ask(EndSessionDocument, { sessionId });
      // A session that was deleted meanwhile has ended as well.
      const errors = endSession!.errors.filter(({ code }) => code !== 'NOT_FOUND');
      if (errors.length > 0) return { errors };
    }
    done();
    return { errors: [] };
  };
  return (
    <Confirm {...look} confirm={texts.end.confirm(ids.length)} act={end} said={() => texts.sessions.ended(ids.length)} onClose={onClose}>
      <p>{texts.end.sure(ids.length)}</p>
    </Confirm>
  );
}

export function EndMatching({ filter, done, onClose }: Props & { filter: SessionFilter }) {
  // The service refuses an empty filter.
  const isEverybody = isEmpty(filter);
  const wanted: SessionFilter = isEverybody ? { state: 'ACTIVE' } : filter;
  const counted = useQuery(EndSessionsDocument, { filter: wanted, dryRun: true });
  const [note, setNote] = useState('');
  const number = counted.data?.endSessions?.matchedCount;
  const end = async () => {
    const { endSessions } = await ask(EndSessionsDocument, { filter: wanted, dryRun: false, note: note.trim() || undefined });
    if (endSessions?.errors.length === 0) done();
    return endSessions;
  };
  const counting = number === undefined;
  return (
    <Confirm {...look} confirm={counting ? texts.end.counting : texts.end.confirm(number)} disabled={!number} act={end} said={({ endedCount }) => texts.sessions.ended(endedCount)} onClose={onClose}>
      {counted.error && <Failure error={counted.error} />}
      <div role="status">
        {isEverybody && <p>{texts.end.everybody}</p>}
        <p>{counting ? texts.end.counting : number === 0 ? texts.end.nothing : texts.end.sure(number)}</p>
      </div>
      <Field label={texts.end.note} value={note} maxLength={500} onInput={event => setNote(event.currentTarget.value)} />
    </Confirm>
  );
}

const isEmpty = (filter: SessionFilter) =>
  Object.values(filter).every(value => !value || (typeof value === 'object' && Object.values(value).every(part => !part)));
