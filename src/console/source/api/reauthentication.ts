// Reauthentication that operations wait for. A dialog shows it and ends it.
import { signal } from '@preact/signals';

import type { Assurance } from './generated';

/** The user closed the dialog: the operation was not sent again. */
export class Cancelled extends Error {}

export interface WantedProof {
  /** Assurance that the session lacks; undefined if any proof is enough. */
  assurance?: Assurance;
  given: () => void;
  cancelled: () => void;
}

/** The proof that operations wait for; undefined if none does. */
export const wanted = signal<WantedProof | undefined>(undefined);

let waiting: Promise<void> | undefined;

/** Waits until the user has proved again to be the user. Operations that wait together share one dialog. */
export function proofWanted(assurance?: Assurance): Promise<void> {
  waiting ??= new Promise<void>((given, refused) => {
    wanted.value = { given, cancelled: () => refused(new Cancelled()) };
  }).finally(() => {
    waiting = undefined;
    wanted.value = undefined;
  });
  if (assurance) wanted.value = { ...wanted.value!, assurance };
  return waiting;
}
