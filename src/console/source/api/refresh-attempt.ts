// Refreshes of this origin, one at a time, each with an attempt ID.
//
// Invariant: the attempt ID is stored until the answer is there. With the same ID a refresh can be repeated
// after a lost answer or a crash. The ID is not a credential.
const ATTEMPT = 'sallyport-attempt';

/** ID of the refresh that has no answer yet, or else of a new one. */
export function attemptId(): string {
  const id = localStorage.getItem(ATTEMPT) ?? crypto.randomUUID();
  localStorage.setItem(ATTEMPT, id);
  return id;
}

/** Called when a refresh was answered. */
export const forgetAttempt = () => localStorage.removeItem(ATTEMPT);

/** Runs a function while no other page of this origin runs one (Web Locks). */
export const alone = <T>(run: () => Promise<T>): Promise<T> => navigator.locks.request('sallyport-refresh', run) as Promise<T>;
