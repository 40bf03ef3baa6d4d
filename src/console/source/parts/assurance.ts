// Text for the proofs that a session has shown.
import { texts } from '../texts';

/** Names of the methods. One that this console does not know is shown as it is. */
export const methodsOf = ({ amr }: { amr: string[] }) => amr.map(method => texts.methods[method] ?? method).filter(Boolean).join(', ');
