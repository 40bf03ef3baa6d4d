// Timestamp in the reader's time zone, with the exact time in UTC as tooltip.
import { texts } from '../texts';

const formats = (second: '2-digit' | undefined) => {
  const short = { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second } as const;
  return { thisYear: new Intl.DateTimeFormat('en-GB', short), other: new Intl.DateTimeFormat('en-GB', { ...short, year: 'numeric' }) };
};
const MINUTES = formats(undefined);
const SECONDS = formats('2-digit');

function format(moment: Date, { thisYear, other }: typeof MINUTES): string {
  return (moment.getFullYear() === new Date().getFullYear() ? thisYear : other).format(moment);
}

export function Time({ at, seconds }: { at: string | null | undefined; seconds?: boolean }) {
  if (!at) return <>{texts.none}</>;
  return (
    <time dateTime={at} title={at}>
      {format(new Date(at), seconds ? SECONDS : MINUTES)}
    </time>
  );
}

/** Value of an `<input type="datetime-local">` for a timestamp. */
export function toInput(at: string | undefined): string {
  if (!at || Number.isNaN(Date.parse(at))) return '';
  const moment = new Date(at);
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** Timestamp for the value of an `<input type="datetime-local">`. */
export const fromInput = (local: string): string | undefined => (local ? new Date(local).toISOString() : undefined);
