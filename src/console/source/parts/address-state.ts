// Filters and pagination of a page, stored in the query string, so that a link opens the page with the
// same ones.
import { useLocation } from 'preact-iso';

export type View = Record<string, string | undefined>;

/** Query parameters of the pagination. */
const PAGING = ['after', 'before', 'end'];

export interface Shown {
  view: View;
  /** Changes filters and goes to the first page. Empty values are removed from the address. */
  show: (changes: View) => void;
  /** Goes to another page of the list. */
  turn: (to: View) => void;
}

export function useView(): Shown {
  const { path, query, route } = useLocation();
  const go = (changes: View) => {
    const next = new URLSearchParams(query);
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.set(name, value);
      else next.delete(name);
    }
    route(next.size ? `${path}?${next}` : path);
  };
  const anew = Object.fromEntries(PAGING.map(name => [name, undefined]));
  return { view: query, show: changes => go({ ...anew, ...changes }), turn: to => go({ ...anew, ...to }) };
}

export const PAGE_SIZE = 50;

/** Pagination arguments of a connection. */
export function pageOf({ after, before, end }: View, size = PAGE_SIZE) {
  if (end) return { last: size };
  if (before) return { last: size, before };
  return { first: size, after };
}
