// Table of a GraphQL connection, with pagination, selection, and the loading, empty and error states. On
// a narrow screen each row is a card.
import type { ComponentChildren } from 'preact';

import { texts } from '../texts';
import type { Shown } from './address-state';
import { Failure } from './failure';
import { reload } from './query';
import type { Asked } from './query';

export interface Connection<Row> {
  nodes: Row[];
  /** Omitted if the list has one page. */
  pageInfo?: { startCursor: string | null; endCursor: string | null; hasNextPage: boolean; hasPreviousPage: boolean };
  totalCount?: number | null;
}

export interface Column<Row> {
  name: string;
  cell: (row: Row) => ComponentChildren;
  /** Whether the cells are right-aligned. */
  isNumber?: boolean;
}

export interface Selection<Row> {
  chosen: Set<string>;
  choose: (chosen: Set<string>) => void;
  can: (row: Row) => boolean;
  label: (row: Row) => string;
}

interface Props<Row> {
  caption: string;
  asked: Pick<Asked<unknown>, 'error' | 'loading'>;
  list: Connection<Row> | null | undefined;
  columns: Column<Row>[];
  empty: string;
  selection?: Selection<Row>;
  /** Goes to another page; omitted if the list has one page. */
  turn?: Shown['turn'];
}

export function List<Row extends { id: string }>({ caption, asked, list, columns, empty, selection, turn }: Props<Row>) {
  if (asked.error) return <Failure error={asked.error} />;
  if (list && list.nodes.length === 0) {
    return (
      <div class="state" role="status">
        <p>{empty}</p>
      </div>
    );
  }
  return (
    <div class="list" aria-busy={asked.loading}>
      <table role="table">
        <caption class="unseen">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {selection && (
              <th role="columnheader" scope="col" class="check">
                <SelectAll rows={list?.nodes ?? []} selection={selection} />
              </th>
            )}
            {columns.map(({ name, isNumber }) => (
              <th role="columnheader" scope="col" class={isNumber ? 'number' : undefined} key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {list ? list.nodes.map(row => <Row row={row} columns={columns} selection={selection} key={row.id} />) : <Waiting columns={columns.length + (selection ? 1 : 0)} />}
        </tbody>
      </table>
      {turn && <Pager list={list} turn={turn} />}
    </div>
  );
}

function Row<Row extends { id: string }>({ row, columns, selection }: Pick<Props<Row>, 'columns' | 'selection'> & { row: Row }) {
  return (
    <tr role="row" class={selection?.chosen.has(row.id) ? 'chosen' : undefined}>
      {selection && (
        <td role="cell" class="check">
          {selection.can(row) && (
            <input
              type="checkbox"
              aria-label={texts.list.select(selection.label(row))}
              checked={selection.chosen.has(row.id)}
              onChange={event => selection.choose(changed(selection.chosen, [row.id], event.currentTarget.checked))}
            />
          )}
        </td>
      )}
      {columns.map(({ name, cell, isNumber }) => (
        <td role="cell" data-name={name} class={isNumber ? 'number' : undefined} key={name}>
          {cell(row)}
        </td>
      ))}
    </tr>
  );
}

function SelectAll<Row extends { id: string }>({ rows, selection }: { rows: Row[]; selection: Selection<Row> }) {
  const ids = rows.filter(selection.can).map(({ id }) => id);
  const isAll = ids.length > 0 && ids.every(id => selection.chosen.has(id));
  return (
    <input
      type="checkbox"
      aria-label={texts.list.selectAll}
      disabled={ids.length === 0}
      checked={isAll}
      onChange={event => selection.choose(changed(selection.chosen, ids, event.currentTarget.checked))}
    />
  );
}

function changed(chosen: Set<string>, ids: string[], isIn: boolean): Set<string> {
  const next = new Set(chosen);
  for (const id of ids) {
    if (isIn) next.add(id);
    else next.delete(id);
  }
  return next;
}

/** Placeholder rows while the list loads. */
function Waiting({ columns }: { columns: number }) {
  return Array.from({ length: 12 }, (_, row) => (
    <tr role="row" class="waiting" key={row}>
      {Array.from({ length: columns }, (_, column) => (
        <td role="cell" key={column}>
          <span />
        </td>
      ))}
    </tr>
  ));
}

function Pager<Row>({ list, turn }: { list: Connection<Row> | null | undefined; turn: Shown['turn'] }) {
  const { hasNextPage = false, hasPreviousPage = false, startCursor, endCursor } = list?.pageInfo ?? {};
  const all = list?.totalCount;
  const isOnePage = !hasNextPage && !hasPreviousPage;
  // `aria-disabled` and not `disabled`, so that a button keeps the focus when it is disabled.
  const button = (label: string, isUsable: boolean, to: Parameters<typeof turn>[0]) => (
    <button type="button" aria-disabled={!isUsable} onClick={() => isUsable && turn(to)}>
      {label}
    </button>
  );
  return (
    <nav class="pager" aria-label={texts.list.pages}>
      <p>
        {all === undefined ? '' : texts.list.total(all)}
        <button type="button" class="plain" onClick={reload}>
          {texts.list.reload}
        </button>
      </p>
      {!isOnePage && (
        <div class="actions">
          {button(texts.list.first, hasPreviousPage, {})}
          {button(texts.list.previous, hasPreviousPage, { before: startCursor ?? undefined })}
          {button(texts.list.next, hasNextPage, { after: endCursor ?? undefined })}
          {button(texts.list.last, hasNextPage, { end: '1' })}
        </div>
      )}
    </nav>
  );
}
